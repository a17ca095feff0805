// What follows when somebody does something.

let tell = console.error;

/** Say what is done with what went wrong. */
export const whenWrong = (work) => (tell = work);

/** Do something that somebody asked for, once at a time, and say what went wrong. */
export const on = (element, event, work) =>
  element.addEventListener(event, async (happened) => {
    happened.preventDefault();
    const button = happened.submitter ?? happened.currentTarget;
    if (button.ariaBusy) return; // not disabled: that would take the keyboard's focus away
    button.ariaBusy = "true";
    document.getElementById("said").textContent = "";
    try {
      await work(happened.target);
    } catch (error) {
      await tell(error);
    } finally {
      button.ariaBusy = null;
    }
  });
