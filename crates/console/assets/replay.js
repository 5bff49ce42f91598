// Plays a stream: in the player, at the moment and the speed that are asked for. The page can be read without it.
"use strict";

(() => {
  const section = document.getElementById("replay");
  if (!section || !window.AsciinemaPlayer) return;
  const box = section.querySelector("#player");
  const told = section.querySelector("[role=alert]");
  const moment = section.querySelector("#moment");
  section.hidden = false;

  let player = null;
  let cast = null;
  let speed = 1;

  /** The moment that the address names, in seconds. */
  function wanted() {
    const at = Number(/^#t=(\d+(?:\.\d+)?)$/.exec(location.hash)?.[1]);
    return Number.isFinite(at) ? at : null;
  }

  /** Another speed is another player. */
  function start(at, playing) {
    player?.dispose();
    player = AsciinemaPlayer.create({ data: cast }, box, {
      fit: "width",
      speed,
      preload: true,
      startAt: at,
      autoPlay: playing,
      poster: `npt:${at}`,
      terminalFontFamily: 'ui-monospace, "SF Mono", Menlo, Consolas, monospace',
    });
    let running = playing;
    player.addEventListener("play", () => (running = true));
    player.addEventListener("pause", () => (running = false));
    player.addEventListener("ended", () => (running = false));
    player.isRunning = () => running;
  }

  for (const button of section.querySelectorAll("[data-speed]")) {
    button.addEventListener("click", () => {
      if (!player) return;
      for (const other of section.querySelectorAll("[data-speed]")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      speed = Number(button.dataset.speed);
      start(player.getCurrentTime() ?? 0, player.isRunning());
    });
  }

  moment.addEventListener("click", () => {
    moment.setAttribute("href", `#t=${Math.floor((player?.getCurrentTime() ?? 0) * 1000) / 1000}`);
  });

  window.addEventListener("hashchange", () => {
    const at = wanted();
    if (at === null || !player) return;
    player.seek(at);
    section.scrollIntoView({ block: "nearest" });
  });

  fetch(section.dataset.cast)
    .then(async (answer) => {
      if (answer.redirected) throw new Error("you are signed out; load the page again");
      if (!answer.ok) throw new Error(`the gate answered ${answer.status}`);
      cast = await answer.text();
      const at = wanted();
      start(at ?? 0, false);
      section.dataset.ready = "";
    })
    .catch((error) => {
      told.textContent = `The stream cannot be played: ${error.message}`;
      told.hidden = false;
    });
})();
