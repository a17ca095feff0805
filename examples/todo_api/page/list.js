// A list of todos, one's own or a team's: to add to, tick and delete from.

import { api } from "./ask.js";
import { on } from "./on.js";

/** Keep the todos of ``path`` in ``ul``; ``none`` is shown where there are none, ``add`` adds one. */
export function list(path, ul, none, add) {
  const done = document.getElementById("done");
  const tellWhetherEmpty = () => (none.hidden = ul.children.length > 0);

  const item = (todo) => {
    const li = document.createElement("li");
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: todo.completed });
    // textContent: whatever somebody types stays text.
    const title = Object.assign(document.createElement("span"), { textContent: todo.title });
    const remove = Object.assign(document.createElement("button"), { textContent: "Delete" });
    remove.setAttribute("aria-label", `Delete “${todo.title}”`);
    label.append(box, title);
    li.append(label, remove);
    on(box, "change", async () => {
      try {
        await api(`${path}/${todo.id}`, "PATCH", { completed: box.checked });
      } catch (error) {
        box.checked = !box.checked;
        throw error;
      }
    });
    on(remove, "click", async () => {
      await api(`${path}/${todo.id}`, "DELETE");
      // Where a keyboard goes on: the next one's button, or the one before, or what is to be added.
      const next = (li.nextElementSibling ?? li.previousElementSibling)?.querySelector("button");
      li.remove();
      (next ?? add.elements.title).focus();
      done.textContent = `Deleted “${todo.title}”.`;
      tellWhetherEmpty();
    });
    return li;
  };

  on(add, "submit", async (form) => {
    const todo = await api(path, "POST", { title: form.elements.title.value });
    form.reset();
    ul.prepend(item(todo));
    done.textContent = `Added “${todo.title}”.`;
    tellWhetherEmpty();
  });

  return {
    append(todos) {
      ul.append(...todos.map(item));
      tellWhetherEmpty();
    },
    clear: () => ul.replaceChildren(),
  };
}
