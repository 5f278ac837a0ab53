// Shows what both sides say, line by line, as it becomes known.

/** The lines of one call in a list element; scrolls along unless the reader has scrolled up. */
export class Captions {
  #list;
  #lines = new Map();

  constructor(list) { this.#list = list; }

  clear() {
    this.#lines.clear();
    this.#list.replaceChildren();
  }

  /** What the learner said so far; `final` when the turn is over. */
  learner(turnId, text, final) {
    if (!text && !this.#lines.has(turnId)) return;
    const line = this.#line(turnId, "learner", "You");
    line.textContent = text || "…";
    line.classList.toggle("open", !final);
  }

  /** More of what the tutor says. */
  tutor(replyId, text) {
    const line = this.#line(replyId, "tutor", "Tutor");
    line.textContent += text;
  }

  /** The reply is over: what was not heard of it is struck through, since the tutor forgets it too. */
  finish(replyId, heardText) {
    const line = this.#lines.get(replyId);
    if (!line) return;
    const whole = line.textContent.trim();
    const heard = heardText.trim();
    if (whole === heard || !whole.startsWith(heard)) return;
    const rest = document.createElement("span");
    rest.className = "unheard";
    rest.textContent = whole.slice(heard.length);
    line.replaceChildren(heard, rest);
  }

  #line(id, kind, who) {
    let line = this.#lines.get(id);
    const box = this.#list.parentElement;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 120;
    if (!line) {
      line = document.createElement("li");
      line.className = kind;
      line.dataset.who = who;
      this.#lines.set(id, line);
      this.#list.append(line);
    }
    if (atEnd) requestAnimationFrame(() => { box.scrollTop = box.scrollHeight; });
    return line;
  }
}
