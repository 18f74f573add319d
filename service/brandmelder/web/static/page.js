// Values under a finger, live parts, filters that send themselves. The page works without it.

const live = document.body.dataset.live;

// ------------------------------------------------------------------ values of a picture

function showValues(picture) {
  const drawn = picture.querySelector(".drawn");
  const line = picture.querySelector("[data-value]");
  const rows = [...picture.querySelectorAll("tbody tr")];
  if (!drawn || !line || !rows.length) return;
  const still = [...line.childNodes];
  const cursor = document.createElement("i");
  cursor.className = "cursor";
  cursor.hidden = true;
  drawn.append(cursor);
  let place = -1;

  function show(at) {
    place = Math.max(0, Math.min(rows.length - 1, at));
    const [count, usual] = rows[place].querySelectorAll("td");
    const when = rows[place].querySelector("th").textContent;
    line.textContent = `${when}: ${count.textContent}${usual.textContent ? ", " + usual.textContent : ""}`;
    cursor.hidden = false;
    cursor.style.setProperty("left", `${(100 * (place + 0.5)) / rows.length}%`);
  }

  function leave() {
    place = -1;
    line.replaceChildren(...still);
    cursor.hidden = true;
  }

  drawn.addEventListener("pointermove", (event) => {
    const box = drawn.getBoundingClientRect();
    show(Math.floor(((event.clientX - box.left) / box.width) * rows.length));
  });
  drawn.addEventListener("pointerdown", (event) => {
    const box = drawn.getBoundingClientRect();
    show(Math.floor(((event.clientX - box.left) / box.width) * rows.length));
  });
  drawn.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") leave(); });
  drawn.addEventListener("blur", leave);
  drawn.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -rows.length, End: rows.length };
    if (!(event.key in steps)) return;
    event.preventDefault();
    show((place < 0 ? rows.length : place) + steps[event.key]);
    say(line.textContent);
  });
}

// ------------------------------------------------------------------ small comforts

function unfold(part) {
  for (const text of part.querySelectorAll(".clamp")) {
    if (text.scrollHeight <= text.clientHeight + 2) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "unfold";
    button.textContent = document.documentElement.lang === "de" ? "mehr" : "more";
    button.addEventListener("click", () => { text.classList.add("whole"); button.remove(); });
    text.after(button);
  }
}

function say(text) {
  const region = document.getElementById("said-live");
  if (region) region.textContent = text;
}

function prepare(part) {
  part.querySelectorAll("[data-chart]").forEach(showValues);
  part.querySelectorAll(".filters select, form[data-sends] select").forEach((select) =>
    select.addEventListener("change", () => select.form.requestSubmit()));
  unfold(part);
}

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.menu[open], details.ask[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.menu[open], details.ask[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

// ------------------------------------------------------------------ live

let fetching = false;
let lastSaid = 0;

function isInUse(part) {
  return part.contains(document.activeElement) && part.querySelector("textarea, input, select, details.ask[open]") !== null
    || part.querySelector("details[open], input:checked:not([type=radio])") !== null;
}

// A list does not move under a finger: what is new waits behind a button.
function offer(part, other) {
  part.querySelector("button.news")?.remove();
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button news";
  button.textContent = part.dataset.news;
  button.addEventListener("click", () => {
    part.replaceChildren(...document.adoptNode(other).childNodes);
    prepare(part);
  });
  part.prepend(button);
}

async function refresh() {
  if (fetching) return;
  fetching = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.status === 401) return end();
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = fresh.title;
    for (const part of document.querySelectorAll("[data-part]")) {
      const other = fresh.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
      if (!other || part.innerHTML === other.innerHTML || isInUse(part)) continue;
      if (part.dataset.news && scrollY > 0 && part.getBoundingClientRect().top < innerHeight) {
        offer(part, other);
        continue;
      }
      const number = part.querySelector(".figure strong, .count .big");
      const before = number && number.textContent;
      part.replaceChildren(...document.adoptNode(other).childNodes);
      prepare(part);
      const after = part.querySelector(".figure strong, .count .big");
      if (after && after.textContent !== before) {
        after.classList.add("fresh");
        const beside = part.querySelector(".figure .beside span");
        if (beside && Date.now() - lastSaid > 60000) {
          lastSaid = Date.now();
          say(`${after.textContent} ${beside.textContent}`);
        }
      }
    }
    showLive();
  } catch {
    // The line says by itself that it is broken; the old figures stay.
  } finally {
    fetching = false;
  }
}

function showLive() {
  document.querySelectorAll("[data-is-live]").forEach((mark) => { mark.hidden = false; });
}

// Nobody is signed in any more: old figures must not look as if they lived. What somebody was typing stays.
function end() {
  if (line) line.close();
  isOver = true;
  const typed = [...document.querySelectorAll("textarea, input:not([type=hidden])")]
    .filter((field) => field.value && field.value !== field.defaultValue);
  if (!typed.length) {
    location.replace(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    return;
  }
  document.getElementById("over").hidden = false;
  document.querySelectorAll("[data-is-live]").forEach((mark) => { mark.hidden = true; });
  document.querySelectorAll("[data-part]").forEach((part) => {
    if (!typed.some((field) => part.contains(field))) part.replaceChildren();
  });
}

let line = null;
let heard = Date.now();
let clock = "";
let isOver = false;

function hear(event) {
  heard = Date.now();
  clock = event.data;
  document.getElementById("offline").hidden = true;
  showLive();
}

function listen() {
  if (isOver) return;
  line = new EventSource(`/live?topic=${encodeURIComponent(live)}`);
  line.addEventListener("beat", (event) => {
    const before = clock;
    hear(event);
    if (before && before !== clock && "reload" in document.body.dataset) refresh();
  });
  line.addEventListener("changed", (event) => {
    hear(event);
    setTimeout(refresh, Math.random() * 1500);
  });
  line.addEventListener("over", end);
  line.addEventListener("error", () => {
    // A line that broke comes back by itself; one that was refused (the service starts anew) does not.
    if (line.readyState === EventSource.CLOSED) again(2000 + Math.random() * 4000);
  });
}

let waiting = 0;

function again(after) {
  clearTimeout(waiting);
  waiting = setTimeout(async () => { await refresh(); listen(); }, after);
}

// Over HTTP/1.1 a browser holds six lines to one host: those of tabs that nobody sees would keep the seventh waiting.
function rest() {
  if (isOver) return;
  clearTimeout(waiting);
  if (document.hidden) {
    waiting = setTimeout(() => line.close(), 5000);
  } else if (line.readyState === EventSource.CLOSED) {
    again(0);
  }
}

function follow() {
  listen();
  const [way] = performance.getEntriesByType("navigation");
  if (!way || way.nextHopProtocol === "http/1.1") document.addEventListener("visibilitychange", rest);
  setInterval(() => {
    if (isOver || document.hidden || Date.now() - heard < 90000) return;
    document.querySelector("#offline span").textContent = clock;
    document.getElementById("offline").hidden = false;
  }, 5000);
}

prepare(document);
if (live && window.EventSource) follow();
