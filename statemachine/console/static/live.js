// Keeps a page up to date: fetches it again and changes only what has become different,
// so that focus, scrolling, open details and half-filled forms stay.
const ids = ["live", "now"];
const kept = {
  beforeAttributeUpdated: (name, element) => !(name === "open" && element.localName === "details"),
  beforeNodeMorphed: (old, fresh) => !(old.dataset?.key && old.dataset.key === fresh.dataset?.key),
};

async function renew() {
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok) throw new Error(answer.status);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = fresh.title;
  for (const id of ids) {
    Idiomorph.morph(document.getElementById(id), fresh.getElementById(id), { callbacks: kept });
  }
}

async function keep() {
  const every = Number(document.getElementById("live").dataset.every);
  if (!every) return;
  const stale = document.getElementById("stale");
  let words = "";
  try {
    if (!document.hidden) await renew();
  } catch {
    words = "The page is not up to date: the console does not answer.";
  }
  if (stale.textContent !== words) stale.textContent = words;
  setTimeout(keep, every * 1000);
}

setTimeout(keep, 1000);
