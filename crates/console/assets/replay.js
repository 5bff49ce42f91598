// Plays a stream: in the player, at the moment and the speed that are asked for, or as it goes on. The page can be read without it.
"use strict";

(() => {
  const section = document.getElementById("replay");
  if (!section || !window.AsciinemaPlayer) return;
  const box = section.querySelector("#player");
  const told = section.querySelector("[role=alert]");
  const moment = section.querySelector("#moment");
  const live = section.querySelector("#live");
  section.hidden = false;

  let player = null;
  let cast = null;
  let running = false;
  let speed = 1;

  /** The moment that the address names, in seconds. */
  function wanted() {
    const at = Number(/^#t=(\d+(?:\.\d+)?)$/.exec(location.hash)?.[1]);
    return Number.isFinite(at) ? at : null;
  }

  function press(buttons, pressed) {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button === pressed));
  }

  function show(source, options) {
    player?.dispose();
    player = AsciinemaPlayer.create(source, box, {
      fit: "width",
      controls: true,
      terminalFontFamily: 'ui-monospace, "SF Mono", Menlo, Consolas, monospace',
      ...options,
    });
    running = options.autoPlay;
    player.addEventListener("play", () => (running = true));
    player.addEventListener("pause", () => (running = false));
    player.addEventListener("ended", () => (running = false));
  }

  /** What is recorded by now, once for all that is done with it. */
  async function load() {
    const answer = await fetch(section.dataset.cast);
    if (answer.redirected) throw new Error("you are signed out; load the page again");
    if (!answer.ok) throw new Error(`the gate answered ${answer.status}`);
    cast = await answer.text();
    // No larger than a terminal of that width is.
    const { width } = JSON.parse(cast.slice(0, cast.indexOf("\n")));
    box.style.maxWidth = `${Math.max(width, 60) * 10}px`;
  }

  /** Another speed is another player. */
  function play(at, autoPlay) {
    if (live) press([live], null);
    show({ data: cast }, { speed, preload: true, startAt: at, autoPlay, poster: `npt:${at}` });
  }

  function follow() {
    press([live], live);
    cast = null;
    show({ driver: "eventsource", url: section.dataset.live }, { autoPlay: true });
  }

  async function playAt(at, autoPlay) {
    try {
      if (cast === null) await load();
      play(at, autoPlay);
      section.dataset.ready = "";
    } catch (error) {
      told.textContent = `The stream cannot be played: ${error.message}`;
      told.hidden = false;
    }
  }

  const speeds = [...section.querySelectorAll("[data-speed]")];
  for (const button of speeds) {
    button.addEventListener("click", () => {
      press(speeds, button);
      speed = Number(button.dataset.speed);
      playAt(player?.getCurrentTime() ?? 0, running);
    });
  }

  live?.addEventListener("click", () => (cast === null ? playAt(0, false) : follow()));

  moment.addEventListener("click", () => {
    moment.setAttribute("href", `#t=${Math.ceil((player?.getCurrentTime() ?? 0) * 1000) / 1000}`);
  });

  window.addEventListener("hashchange", () => {
    const at = wanted();
    if (at === null) return;
    if (cast === null) playAt(at, false);
    else player.seek(at);
    section.scrollIntoView({ block: "nearest" });
  });

  if (live && wanted() === null) follow();
  else playAt(wanted() ?? 0, false);
})();
