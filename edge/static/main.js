// The talking page: signs in as a guest, lets the learner choose a role-play, and shows the call.

import { Call } from "./call.js";
import { Captions } from "./captions.js";
import { follow, mailedLink } from "./links.js";
import { CallError, issueTicket, listScenarios, refreshTokens, signInAsGuest } from "./rpc.js";

const element = (id) => document.getElementById(id);
const LEVELS = ["", "A1", "A2", "B1", "B2", "C1", "C2"];
const captions = new Captions(element("lines"));
let tokens = null;
let signedInAt = 0;
let scenarios = [];
let call = null;
const link = mailedLink();
let held = false;
let muted = false;

const FRESH_FOR_MS = 5 * 60 * 1000;
const FAREWELLS = {
  1000: "The conversation is over. Well done!",
  1006: "The connection broke. Check the network, then start again.",
  1011: "Something went wrong on the server. Start again; if it happens again, tell its operator.",
  1012: "The server is restarting. Start again in a few seconds.",
  1013: "The tutor is not available just now. Try again in a minute.",
  4401: "You are signed out. Start again.",
  4408: "Nothing was said for a long time, so the call was ended.",
  4409: "This conversation is already open somewhere else.",
  4429: "The server is full. Try again in a minute.",
};
const NO_MICROPHONE = {
  NotAllowedError: "The microphone is blocked. Allow it in the browser's address bar and start again, or write instead.",
  NotFoundError: "There is no microphone. Plug one in and start again, or write instead.",
  NotReadableError: "Another program holds the microphone. Close it and start again, or write instead.",
};

element("choice").onsubmit = (event) => { event.preventDefault(); start(); };
element("writing").onsubmit = (event) => { event.preventDefault(); write(); };
element("mute").onclick = () => press("mute", (muted = !muted), () => call?.mute(muted));
element("hold").onclick = () => press("hold", (held = !held), () => call?.send({ holdTurn: { held } }));
element("stop").onclick = () => call?.send({ cancelReply: {} });
element("again").onclick = () => call?.send({ repeatReply: {} });
element("end").onclick = () => call?.send({ endSession: {} });
document.onkeydown = (event) => {
  if (!call || event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
  const button = { m: "mute", h: "hold", r: "again", Escape: "stop" }[event.key];
  if (button) element(button).click();
};

async function welcome() {
  try {
    scenarios = (await listScenarios()).scenarios ?? [];
    element("scenarios").append(...scenarios.map(scenarioCard));
    if (link) await follow(link, { say: notify, form: element("reset") });
    if (location.hash === "#guest") await signIn();
  } catch (error) {
    notify(error.message);
  }
  if (link?.purpose !== "reset") element("start").focus();
}

async function signIn() {
  tokens = (await signInAsGuest()).tokens;
  signedInAt = performance.now();
  element("who").textContent = "Guest";
}

/** An access token that will last for a while: a refused socket can't say why in a browser. */
async function freshToken() {
  if (!tokens) await signIn();
  if (performance.now() - signedInAt > FRESH_FOR_MS) await refresh().catch(signIn);
  return tokens.accessToken;
}

async function refresh() {
  tokens = (await refreshTokens(tokens.refreshToken)).tokens;
  signedInAt = performance.now();
}

async function start() {
  notify("");
  element("start").disabled = true;
  try {
    await freshToken();
    const scenarioId = new FormData(element("choice")).get("scenario") ?? "";
    showCall(scenarios.find((each) => each.id === scenarioId));
    call = new Call();
    call.addEventListener("told", ({ detail }) => told(detail));
    await call.open({ freshTicket: async () => issueTicket(await freshToken()), scenarioId });
  } catch (error) {
    hangUp(error instanceof CallError ? error.message : "The call could not be opened. Try again.");
  } finally {
    element("start").disabled = false;
  }
}

function write() {
  const text = element("text").value.trim();
  // What can't go out yet stays in the box, to be sent by the next Enter.
  if (!text || call?.send({ submitText: { text } })) element("text").value = "";
}

function told({ type, ...event }) {
  switch (type) {
    case "microphone": notify(NO_MICROPHONE[event.error] ?? "The microphone can't be used here. Write instead."); break;
    case "sessionStarted":
      if (event.resumed) notify("");
      list("engines", event.engineLabels);
      status("", "Listening");
      break;
    case "level": element("orb").style.setProperty("--level", Math.min(0.8, event.loudest * 2)); break;
    case "speechStarted": status("learner", "You are speaking"); break;
    case "speechEnded": status("", "Thinking"); break;
    case "transcriptRevised": captions.learner(event.turnId, event.text, false); break;
    case "turnCommitted": captions.learner(event.turnId, event.text || "(not understood)", true); break;
    case "replyStarted": status("tutor", "The tutor speaks; interrupt if you like"); break;
    case "replyText": captions.tutor(event.replyId, event.text); break;
    case "replyFinished": captions.finish(event.replyId, event.heardText); status("", "Listening"); break;
    case "feedbackGiven": event.remark ? remark(event.remark) : correct(event.correction); break;
    case "scenarioProgressed": progress(event.progress); break;
    case "replyMeasured": measured(event.ledger); break;
    case "errorRaised": notify(event.failure.message); break;
    case "accessExpiring": renew(); break;
    case "cut": status("", "The connection is lost; trying again"); break;
    case "goAway": notify("The server is about to restart; the call goes on in a moment."); break;
    case "closed":
      if (event.code === 4401) tokens = null;
      hangUp(FAREWELLS[event.code] ?? `The call ended (${event.reason || event.code}). Start again.`);
      break;
  }
}

async function renew() {
  try {
    await refresh();
    call?.send({ refreshAccess: { accessToken: tokens.accessToken } });
  } catch {
    notify("Your sign-in could not be renewed; the call will end soon.");
  }
}

function hangUp(message) {
  // The last words of the server say more than the close code.
  if (element("notice").hidden) notify(message);
  call?.close();
  call = null;
  held = muted = false;
  for (const id of ["mute", "hold"]) element(id).setAttribute("aria-pressed", "false");
  element("call").hidden = true;
  element("welcome").hidden = false;
  element("start").focus();
}

function showCall(scenario) {
  captions.clear();
  element("welcome").hidden = true;
  element("call").hidden = false;
  element("title").textContent = scenario?.title ?? "Free talk";
  element("summary").textContent = scenario?.summary ?? "";
  list("goals", (scenario?.goals ?? []).map((goal) => goal.title));
  [...element("goals").children].forEach((line, index) => { line.dataset.goal = scenario.goals[index].id; });
  list("phrases", scenario?.keyPhrases ?? []);
  element("phrases-part").hidden = !scenario?.keyPhrases?.length;
  element("slips").replaceChildren();
  element("slips-part").hidden = true;
  element("latency").hidden = true;
  status("", "Connecting");
}

function scenarioCard(scenario, index) {
  const card = made("label", "scenario");
  const radio = made("input");
  Object.assign(radio, { type: "radio", name: "scenario", value: scenario.id, checked: index === 0 });
  const level = made("span", "level", (scenario.level ?? "").replace("CEFR_LEVEL_", ""));
  card.append(radio, level, made("b", "", scenario.title), made("span", "", scenario.summary));
  return card;
}

function correct({ said, better, explanation }) {
  const card = made("li");
  card.append(made("del", "", said), made("b", "", better), made("span", "quiet", explanation));
  element("slips").prepend(card);
  element("slips-part").hidden = false;
}

function remark({ fluency, vocabulary, pronunciation }) {
  const card = made("li");
  if (fluency) card.append(made("span", "quiet", fluently(fluency)));
  for (const { word, level } of vocabulary?.words ?? []) {
    card.append(made("b", "", word), made("span", "quiet", `a word of ${LEVELS[level]}: well done`));
  }
  for (const { word, expectedSounds, heardSounds } of pronunciation?.words ?? []) {
    const sounds = heardSounds ? ` /${heardSounds}/, usually /${expectedSounds}/` : " may have sounded different";
    card.append(made("b", "", word), made("span", "quiet", `${sounds}${pronunciation.approximate ? " (a guess)" : ""}`));
  }
  if (!card.childElementCount) return;
  element("slips").prepend(card);
  element("slips-part").hidden = false;
}

function fluently({ wordsPerMinute, pauseCount, fillerCount }) {
  const parts = [`${Math.round(wordsPerMinute)} words a minute`, `${pauseCount} ${pauseCount === 1 ? "pause" : "pauses"}`];
  return (fillerCount ? [...parts, `${fillerCount} × “um”`] : parts).join(" · ");
}

function progress({ reachedGoalIds }) {
  for (const line of element("goals").children) {
    line.classList.toggle("reached", reachedGoalIds.includes(line.dataset.goal));
  }
}

function measured({ totalMs, stages }) {
  const chip = element("latency");
  chip.hidden = false;
  chip.textContent = `answered in ${Math.round(totalMs)} ms`;
  chip.title = stages.map(({ name, durationMs }) => `${name.replace("_", " ")}: ${Math.round(durationMs)} ms`).join("\n");
}

function status(who, text) {
  element("orb").dataset.who = who;
  element("state-text").textContent = call && !call.hasMicrophone && !who ? "Write to the tutor" : text;
}

function press(id, on, act) {
  element(id).setAttribute("aria-pressed", String(on));
  act();
}

function notify(message) {
  element("notice").textContent = message;
  element("notice").hidden = !message;
}

function list(id, lines) { element(id).replaceChildren(...lines.map((line) => made("li", "", line))); }

function made(tag, className = "", text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

welcome();
