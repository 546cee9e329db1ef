// Keeps the page current: listens for new states, swaps only what differs, lets times tick.
// The server renders all HTML (and escapes it); nothing here talks to any other address.
"use strict";

(() => {
  const SILENCE_MS = 25000; // the server sends a sign of life every 10 s
  const RETRY_MS = [500, 1000, 2000, 4000, 8000];
  const HIDDEN_MS = 30000; // a tab nobody looks at must not keep the servers busy

  const main = document.getElementById("status");
  const connection = document.getElementById("connection");
  let source = null;
  let lastHeard = 0;
  let failures = 0;
  let retry = 0;
  let pause = 0;
  // The server's clock, not the browser's, is the one that states are stamped with.
  let skewSeconds = Number(main.dataset.now) - Date.now() / 1000;

  function show(state, text) {
    connection.dataset.state = state;
    if (connection.textContent !== text) connection.textContent = text;
    document.documentElement.classList.toggle("stale", state === "lost");
  }

  // -- events ------------------------------------------------------------------------------------------------

  function connect() {
    disconnect();
    lastHeard = Date.now();
    source = new EventSource("/events");
    source.addEventListener("open", heard);
    source.addEventListener("alive", heard);
    source.addEventListener("status", (event) => {
      heard();
      const status = JSON.parse(event.data);
      skewSeconds = status.now - Date.now() / 1000;
      const fresh = document.createElement("template");
      fresh.innerHTML = status.html;
      morph(main, fresh.content);
      document.title = status.title;
      document.getElementById("project").textContent = status.project;
      const icon = document.getElementById("icon");
      if (icon.getAttribute("href") !== status.icon) icon.setAttribute("href", status.icon);
      tick();
    });
    source.addEventListener("error", lost);
  }

  function disconnect() {
    clearTimeout(retry);
    if (source) source.close();
    source = null;
  }

  function heard() {
    lastHeard = Date.now();
    failures = 0;
    show("live", "Live");
  }

  // An EventSource gives up for good on some answers and waits long on others: retry by our own clock instead.
  function lost() {
    disconnect();
    const at = new Date(lastHeard).toLocaleTimeString();
    show("lost", `Connection lost, trying again. This was the state at ${at}.`);
    retry = setTimeout(connect, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
    failures += 1;
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(pause);
    if (document.hidden) {
      pause = setTimeout(() => { disconnect(); show("paused", "Paused"); }, HIDDEN_MS);
    } else if (!source) {
      connect();
    }
  });
  window.addEventListener("online", connect);
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", (event) => { if (event.persisted) connect(); });

  // -- swapping ----------------------------------------------------------------------------------------------

  // Makes `old` look like `fresh` while keeping every node that can stay: focus, selection and scroll survive.
  function morph(old, fresh) {
    const wanted = [...fresh.childNodes];
    const ids = new Set(wanted.map((next) => next.id).filter(Boolean));
    for (const child of [...old.children]) if (child.id && !ids.has(child.id)) child.remove();
    wanted.forEach((next, index) => {
      const node = old.childNodes[index];
      if (!node) {
        old.append(next);
      } else if (node.nodeName === next.nodeName && (node.id || "") === (next.id || "")) {
        if (node.nodeType === Node.TEXT_NODE) {
          if (node.data !== next.data) node.data = next.data;
        } else {
          attributes(node, next);
          morph(node, next);
        }
      } else if (node.id) {
        old.insertBefore(next, node); // its own turn comes later
      } else {
        node.replaceWith(next);
      }
    });
    while (old.childNodes.length > wanted.length) old.lastChild.remove();
  }

  function attributes(node, next) {
    for (const { name } of [...node.attributes]) if (!next.hasAttribute(name)) node.removeAttribute(name);
    for (const { name, value } of [...next.attributes]) if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }

  // -- ticking (the words are those of wording.py) ------------------------------------------------------------

  const UNITS = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];

  function duration(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    if (seconds < 10) return `${(Math.floor(Math.max(0, seconds) * 10) / 10).toFixed(1)} s`;
    for (const [unit, name, smaller, smallerName] of UNITS) {
      if (whole >= unit) {
        const rest = Math.floor((whole % unit) / smaller);
        return rest ? `${Math.floor(whole / unit)} ${name} ${rest} ${smallerName}` : `${Math.floor(whole / unit)} ${name}`;
      }
    }
    return `${whole} s`;
  }

  function ago(seconds) {
    const whole = Math.floor(seconds);
    if (whole < 5) return "just now";
    for (const [unit, name] of UNITS) if (whole >= unit) return `${Math.floor(whole / unit)} ${name} ago`;
    return `${whole} s ago`;
  }

  function tick() {
    const now = Date.now() / 1000 + skewSeconds;
    for (const time of document.querySelectorAll("time[data-say]")) {
      const seconds = now - Number(time.dataset.at);
      const text = time.dataset.say === "ago" ? ago(seconds) : duration(Math.round(seconds));
      if (time.textContent !== text) time.textContent = text;
      if (!time.title) time.title = new Date(time.dateTime).toLocaleString();
    }
    if (source && Date.now() - lastHeard > SILENCE_MS) lost();
  }

  setInterval(tick, 1000);
  tick();
  connect();
})();
