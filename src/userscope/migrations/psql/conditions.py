"""Which branch of ``\\if … \\elif … \\else … \\endif`` is read."""

from dataclasses import dataclass, field


@dataclass
class _Level:
    outer: bool  # whether what stands around it is read
    now: bool
    met: bool  # whether a branch was read
    last: bool = False  # whether \else was seen


@dataclass
class Conditions:
    """The conditions that are open, the innermost last."""

    _levels: list[_Level] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether one is not ended."""
        return bool(self._levels)

    @property
    def active(self) -> bool:
        """Whether what stands here is read."""
        return not self._levels or self._levels[-1].now

    @property
    def asks(self) -> bool:
        """Whether an ``\\elif`` here has to be judged."""
        return self.open and self._levels[-1].outer and not self._levels[-1].met

    def begin(self, *, met: bool) -> None:
        """Take an ``\\if``."""
        now = self.active and met
        self._levels.append(_Level(self.active, now, now))

    def turn(self, *, met: bool, last: bool) -> bool:
        """Take an ``\\elif`` or ``\\else``; False where none can stand."""
        if not self._levels or self._levels[-1].last:
            return False
        level = self._levels[-1]
        level.now = level.outer and not level.met and met
        level.met, level.last = level.met or level.now, last
        return True

    def end(self) -> bool:
        """Take an ``\\endif``; False where none can stand."""
        return self._levels.pop() is not None if self._levels else False
