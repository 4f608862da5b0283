"use strict";
// The console's own script. Pages work without it, but for charts, dialogs and what changes by itself.

const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Times are shown in the browser's zone; the title keeps UTC.
function localTimes(root) {
  for (const time of all("time[datetime]:not([title])", root)) {
    const at = new Date(time.dateTime);
    const two = (n) => String(n).padStart(2, "0");
    time.title = time.textContent;
    time.textContent = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  }
}

// Lines of snippets break between words only; browsers break them behind the dashes of --queue-url too.
function keepWords() {
  for (const code of all(".snippet code")) {
    code.replaceChildren(...code.textContent.split(/(\S*-\S*)/).map((text, i) => {
      if (i % 2 === 0) return text;
      const word = document.createElement("span");
      word.textContent = text;
      return word;
    }));
  }
}

function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog && !dialog.open) {
    dialog.showModal();
    checkConfirm(dialog);
  }
}

// A button that removes something waits until the name was typed.
function checkConfirm(root) {
  for (const input of all("input[data-confirm]", root)) {
    const button = $("button.danger", input.form);
    if (button) button.disabled = input.value !== input.dataset.confirm;
  }
}

async function copy(button) {
  const text = document.getElementById(button.dataset.copy)?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
  } catch { // no clipboard without https or localhost
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const label = button.lastChild;
  if (button.dataset.copying) return;
  button.dataset.copying = "yes";
  const before = label.textContent;
  label.textContent = document.body.dataset.copied;
  setTimeout(() => { label.textContent = before; delete button.dataset.copying; }, 1200);
}

function selectTab(tab) {
  for (const other of all('[role="tab"]', tab.parentElement)) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", chosen);
    other.tabIndex = chosen ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
  }
  try { localStorage.setItem("polymq-tool", tab.textContent); } catch { /* it is only a convenience */ }
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("button, [data-dialog]");
  if (!target) return;
  if (target.dataset.dialog) openDialog(target.dataset.dialog);
  if ("close" in target.dataset) target.closest("dialog").close();
  if (target.dataset.copy) copy(target);
  if (target.getAttribute("role") === "tab") selectTab(target);
  if (target.dataset.toggle) {
    const open = document.getElementById(target.dataset.toggle).classList.toggle("open");
    target.setAttribute("aria-expanded", open);
  }
  if ("addRow" in target.dataset) {
    const rows = all("[data-row]", target.parentElement);
    const row = rows[rows.length - 1].cloneNode(true);
    for (const input of all("input", row)) input.value = "";
    rows[rows.length - 1].after(row);
    $("input", row).focus();
  }
});
document.addEventListener("input", (event) => { if (event.target.matches("[data-confirm]")) checkConfirm(event.target.form); });

// Shortcuts: those listed under "?".
let leader = 0;
document.addEventListener("keydown", (event) => {
  if (event.target.getAttribute?.("role") === "tab" && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
    const tabs = all('[role="tab"]', event.target.parentElement);
    const next = tabs[(tabs.indexOf(event.target) + (event.key === "ArrowRight" ? 1 : tabs.length - 1)) % tabs.length];
    selectTab(next);
    next.focus();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog[open]")) return;
  if (Date.now() - leader < 1500) {
    leader = 0;
    const link = $(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) { event.preventDefault(); link.click(); }
    return;
  }
  switch (event.key) {
    case "/": { const field = $("[data-search-here]") ?? $("[data-search]"); if (field) { event.preventDefault(); field.focus(); field.select(); } break; }
    case "?": event.preventDefault(); openDialog("help"); break;
    case "n": { const button = $("[data-new]"); if (button) { event.preventDefault(); button.focus(); button.click(); } break; }
    case "g": leader = Date.now(); break;
  }
});

// A server that is away would leave clicks without an answer, and pages looking as if they were live.
const tellAway = (away) => { $("#away").hidden = !away; };
document.addEventListener("htmx:sendError", () => tellAway(true));
document.addEventListener("htmx:afterOnLoad", () => tellAway(false));

// Charts.
const charts = [];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const series = {
  rates: [["sent", "--series-1"], ["received", "--series-2"], ["deleted", "--series-3"]],
  depth: [["messages", "--series-1"], ["in_flight", "--series-2"]],
};

function drawChart(element, data) {
  const kind = element.dataset.chart;
  const labels = JSON.parse(element.dataset.labels);
  const columns = [data.at, ...series[kind].map(([name]) => data[name])];
  if (data.at.length < 2) {
    if (!element.firstChild) {
      const waiting = document.createElement("p");
      waiting.className = "waiting";
      waiting.textContent = labels.waiting;
      element.append(waiting);
    }
    return;
  }
  if (element.plot) { element.plot.setData(columns); return; }
  element.replaceChildren();
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 }, font: "12px system-ui, sans-serif" };
  const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
  element.plot = new uPlot({
    width: element.clientWidth, height: 210, padding: [null, 28, null, null], cursor: { y: false, points: { size: 6 } }, legend: { live: true },
    scales: { x: { time: true }, y: { range: (_, low, high) => [0, Math.max(4, high * 1.1)] } },
    axes: [{ ...axis, values: (_, times) => times.map((t) => new Date(t * 1000).toTimeString().slice(0, 8)), space: 90 }, { ...axis, size: 54, values: (_, values) => values.map((v) => compact.format(v)) }],
    series: [
      { label: labels.at, value: (_, t) => t == null ? "–" : new Date(t * 1000).toTimeString().slice(0, 8) },
      ...series[kind].map(([name, variable]) => ({ label: labels[name], stroke: colour(variable), width: 2, points: { show: false }, value: (_, v) => v == null ? "–" : compact.format(v) })),
    ],
  }, columns, element);
}

async function drawCharts() {
  if (charts.length === 0 || document.hidden) return;
  try {
    const answer = await fetch(charts[0].dataset.url);
    tellAway(false);
    if (!answer.ok) return;
    const data = await answer.json();
    for (const chart of charts) drawChart(chart, data);
  } catch { tellAway(true); }
}

function restart() { // in other colours
  for (const chart of charts) { chart.plot?.destroy(); chart.plot = null; chart.replaceChildren(); }
  drawCharts();
}

document.addEventListener("DOMContentLoaded", () => {
  localTimes(document);
  keepWords();
  checkConfirm(document);
  charts.push(...all("[data-chart]"));
  if (charts.length > 0) {
    drawCharts();
    setInterval(drawCharts, 2000);
    new ResizeObserver(() => { for (const chart of charts) chart.plot?.setSize({ width: chart.clientWidth, height: 210 }); }).observe(charts[0]);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restart);
  }
  if (location.hash === "#new") openDialog("new");
  let tool = null;
  try { tool = localStorage.getItem("polymq-tool"); } catch { /* it is only a convenience */ }
  const tab = tool && all('.snippets [role="tab"]').find((t) => t.textContent === tool);
  if (tab) selectTab(tab);
});
document.addEventListener("htmx:afterSettle", (event) => { localTimes(document); checkConfirm(event.target); });
