"""The files of a new table: what ``userscope new-table`` writes."""
