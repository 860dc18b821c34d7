"use strict";
// Builds the page from its data. Every text goes in as a text node: names, messages and hosts are never markup.

const data = JSON.parse(document.getElementById("data").textContent);

const trial_fields = ["cell", "round", "launch", "number", "outcome", "seconds", "marks", "message", "load_balance",
  "place_seconds", "canary_before", "canary_after", "hop_seconds", "started_at"];
const trials_by_cell = data.cells.map(() => []);
for (const row of data.trials) {
  const trial = Object.fromEntries(trial_fields.map((field, index) => [field, row[index]]));
  trials_by_cell[trial.cell].push(trial);
}
data.cells.forEach((cell, index) => { cell.index = index; });
const trials_of = (cell) => trials_by_cell[cell.index].map((trial) => ({ ...trial, cell }));

// ---- Pieces ---------------------------------------------------------------------------------------------------------

/** An element with attributes and children; strings become text. `class` and the rest are plain attributes. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(2).filter((child) => child !== null && child !== undefined));
  return made;
}

/** A problem's name, and where the study asked several questions of it, which. */
const titled = (problem) => (problem.condition ? `${problem.name}, ${problem.condition}` : problem.name);

const plural = (count, thing) => `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`;

const shape_paths = {
  circle: "M6 1a5 5 0 1 0 0 10a5 5 0 1 0 0-10z",
  rect: "M1.5 1.5h9v9h-9z",
  triangle: "M6 .8l5.6 9.7h-11.2z",
  rectRot: "M6 0l6 6l-6 6l-6-6z",
};

/** The point shape of a model, as charts draw it. */
function model_mark(model, classes = "") {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("viewBox", "0 0 12 12");
  picture.setAttribute("class", `${classes} tone-${model}`);
  picture.setAttribute("aria-hidden", "true");
  const look = model_shapes[model] ?? model_shapes.serial;
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", shape_paths[look.pointStyle]);
  if (look.rotation) path.setAttribute("transform", `rotate(${look.rotation} 6 6)`);
  picture.append(path);
  return picture;
}

const chip = (model, text = model) => element("span", { class: `chip tone-${model}` }, model_mark(model), text);

/** A table: `columns` are {title, of, figure, wraps}, `of` gives a row's text or element. */
function table(caption, columns, rows) {
  const kind = (column) => (column.figure ? "figure" : column.wraps ? "wraps" : undefined);
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    element("table", { class: "numbers" },
      element("caption", {}, caption),
      element("thead", {}, element("tr", {},
        columns.map((column) => element("th", { scope: "col", class: kind(column) }, column.title)))),
      element("tbody", {}, rows.map((row) => element("tr", {},
        columns.map((column) => element("td", { class: kind(column) }, column.of(row) ?? "")))))));
}

function folded(title, ...contents) {
  return element("details", {}, element("summary", {}, title), ...contents);
}

function fact_list(facts) {
  return element("dl", { class: "facts" }, facts
    .filter(([, value]) => value !== "" && value !== null && value !== undefined)
    .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function date_text(text) {
  const date = new Date(text);
  if (text === "" || Number.isNaN(date.getTime())) return text;
  return `${date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" })}, ` +
    `${date.toISOString().slice(11, 16)} UTC`;
}

function duration_text(from, until) {
  const seconds = Math.round((new Date(until) - new Date(from)) / 1000);
  if (!(seconds >= 0)) return "";
  const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"]];
  return parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`).join(" ") || "0 s";
}

// ---- Top ------------------------------------------------------------------------------------------------------------

function fill_top() {
  const { study } = data;
  const { machine } = study;
  if (machine.host) document.title = `Duet on ${machine.host}`;
  const parts = [
    machine.host,
    machine.processor,
    machine.cores > 0 ? plural(machine.cores, "core") : "",
    date_text(study.started_at),
    study.ended_at ? duration_text(study.started_at, study.ended_at) : "",
    plural(data.trials.length, "trial"),
  ];
  document.getElementById("subtitle").append(
    ...parts.filter((part) => part !== "").map((part) => element("span", {}, part)));
}

function caveat_box() {
  if (data.caveats.length === 0) return null;
  return element("div", { class: "notice", id: "caveats", role: "note" },
    element("strong", {}, "Before you read on"),
    element("ul", {}, data.caveats.map((sentence) => element("li", {}, typeset(sentence)))));
}

// ---- Verdicts -------------------------------------------------------------------------------------------------------

/** The two sides of a verdict in a word or two. */
function short_sides(verdict) {
  if (verdict.axis === "models") return ["shared", "messages"];
  return [plural(verdict.fewer.nodes, "node"), plural(verdict.more.nodes, "node")];
}

/** One row a size: who is faster, by how much, and how sure that is. Left the second side, right the first. */
function forest(verdict) {
  const rows = verdict.comparisons.filter((comparison) => comparison.ratio !== null);
  if (rows.length === 0) return null;
  const reach = Math.log(reach_of(rows));
  const at = (factor) => Math.min(Math.max(50 + (46 * Math.log(factor)) / reach, 0), 100);
  const body = rows.map((comparison) => {
    const { value, low, high } = favour(comparison);
    const whisker = element("span", { class: "whisker" });
    const left = low > 0 ? at(low) : 0;
    whisker.style.left = `${left}%`;
    whisker.style.width = `${(high === null ? 100 : at(high)) - left}%`;
    const dot = model_mark(comparison.faster, comparison.significant ? "dot" : "dot unsure");
    dot.style.left = `${at(value)}%`;
    const figures = typeset(comparison.ratio.text).split(/ (?=\[)/)
      .flatMap((part) => [" ", element("span", { class: "whole" }, part)]);
    const answer = comparison.significant
      ? [chip(comparison.faster, comparison.faster_name), figures]
      : [element("span", { class: "unsure-text" }, "undecided", figures)];
    return element("tr", { title: comparison.sentence },
      element("th", { scope: "row", class: "size", title: comparison.size }, comparison.size),
      element("td", {}, element("div", { class: `track tone-${comparison.faster}`, "aria-hidden": "true" },
        whisker, dot)),
      element("td", {}, answer));
  });
  const [first, second] = short_sides(verdict);
  const tone = verdict.axis === "models" ? "" : " of-nodes";
  return element("table", { class: "forest" },
    element("thead", {}, element("tr", {},
      element("th", { scope: "col" }, "size"),
      element("th", { scope: "col" }, element("div", { class: `sides${tone}` },
        element("span", { class: "side-messages" }, `◂ ${second}`),
        element("span", { class: "side-shared" }, `${first} ▸`))),
      element("th", { scope: "col" }, "faster, by [95 %]"))),
    element("tbody", {}, body));
}

/** Where both sides of a verdict ran: "2 workers", "2 workers on 1 or 2 nodes", "2 workers on 1 node, 4 on 2 nodes". */
function span_text({ axis, fewer, more, workers }) {
  if (axis === "spread") return `${plural(workers, "worker")} on ${fewer.nodes} or ${plural(more.nodes, "node")}`;
  if (axis === "models") return plural(workers, "worker") + (more.nodes > 1 ? ` of ${plural(more.nodes, "node")}` : "");
  return `${plural(fewer.workers, "worker")} on ${plural(fewer.nodes, "node")}, ${more.workers} on ${plural(more.nodes, "node")}`;
}

/** The first verdict of a problem gives its reasons openly, the others on demand. */
function verdict_card(problem, verdict, position) {
  const reasons = verdict.reasons.length === 0 ? null
    : element("ul", { class: "reasons" }, verdict.reasons.map((reason) => element("li", {}, typeset(reason))));
  return element("article", { class: "card verdict" },
    element("div", { class: "card-title" },
      element("span", { class: "name" }, titled(problem)), element("span", {}, span_text(verdict))),
    element("div", { class: "card-body" },
      element("div", {},
        element("h3", { class: "headline" }, typeset(verdict.headline)),
        verdict.crossovers.map((crossover) => element("p", { class: "crossing" }, typeset(crossover.sentence)))),
      forest(verdict)),
    reasons === null || position === 0 ? reasons : folded("Why", reasons));
}

function verdicts_section() {
  const cards_of = (wanted) => data.problems.flatMap((problem) => problem.verdicts
    .filter(wanted).map((verdict, position) => verdict_card(problem, verdict, position)));
  const cores = cards_of(({ axis }) => axis === "models");
  const nodes = cards_of(({ axis }) => axis !== "models");
  const apart = cores.length > 0 && nodes.length > 0;
  const group = (title, lead, cards) => (cards.length === 0 ? [] : [
    apart ? element("h3", { class: "axis" }, title) : null,
    element("p", { class: "lead" }, lead),
    element("div", { class: "cards" }, cards)]);
  const points = "Filled points are significant differences, at 95 % for all comparisons together; hollow ones are not.";
  return element("section", { id: "verdicts", "aria-labelledby": "verdicts-title" },
    element("h2", { id: "verdicts-title" }, cores.length + nodes.length === 1 ? "Verdict" : "Verdicts"),
    ...group("Cores", "The best shared-state model against the best message-passing model, size by size, " +
      `on the same cores. ${points}`, cores),
    ...group("Nodes", "What more nodes bring, and what messages between nodes cost: the best of all models on few nodes " +
      `against the best on more, and as many workers sending messages in one node or across nodes. ${points}`, nodes),
    cores.length + nodes.length > 0 ? null
      : element("p", { class: "nothing" }, "There is nothing to compare yet: a verdict needs right answers from a " +
        "shared-state model and a message-passing model at the same size and number of workers."));
}

// ---- Charts ---------------------------------------------------------------------------------------------------------

const redraws = [];  // one for every chart: draws it anew in the colours of now

/**
 * A figure whose chart and numbers follow `show(selection)`, which gives {title, chart, rows} or no chart; `head` in place
 * of the title, and `said`, sentences above the chart. Without rows there is no figure. `more`: a key to the chart, and
 * whether the numbers are `open`.
 */
function chart_figure(name, caption, columns, show, { key = null, open = false } = {}) {
  const heading = element("h3", {});
  const words = element("div", { class: "said" });
  const canvas = element("canvas", { role: "img" });
  const box = element("div", { class: "canvas-box" }, canvas);
  const nothing = element("p", { class: "nothing", hidden: true }, "Nothing was measured that this chart could show.");
  const numbers = element("div", {});
  const figure = element("figure", { "data-chart": name },
    element("figcaption", {}, heading, element("p", {}, caption), words), key, box, nothing,
    open ? numbers : folded("Numbers", numbers));
  let drawn = null;
  let selection = null;
  const draw = (chosen) => {
    selection = chosen ?? selection;
    const { title, chart, rows, head = title, said = [] } = show(selection, current_theme());
    drawn?.destroy();
    drawn = null;
    heading.replaceChildren(head);
    words.replaceChildren(...said);
    figure.hidden = rows === null;
    canvas.setAttribute("aria-label", `${title}. The numbers follow in a table.`);
    box.hidden = chart === null;
    nothing.hidden = chart !== null;
    if (chart !== null) drawn = new Chart(canvas, chart);
    numbers.replaceChildren(table(title, columns, rows ?? []));
  };
  redraws.push(draw);
  return { figure, draw };
}

/** What the fills of a chart stand for: pairs of a class and its meaning. */
const chart_key = (fills) => element("p", { class: "activity-key" }, fills.map(([fill, meaning]) =>
  element("span", {}, element("i", { class: fill }), meaning)));

/** Radio buttons, or a list where they would fill the page; `change` hears of the value that is chosen. */
function choice(title, name, values, text_of, chosen, change) {
  const most_buttons = 24;
  if (values.length > most_buttons) {
    const list = element("select", { name, "aria-label": title }, values.map((value, index) =>
      element("option", { value: String(index), selected: value === chosen }, text_of(value))));
    list.addEventListener("change", () => change(values[Number(list.value)]));
    return element("fieldset", {}, element("legend", {}, title), list);
  }
  return element("fieldset", {}, element("legend", {}, title), values.map((value) => {
    const input = element("input", { type: "radio", name, checked: value === chosen });
    input.addEventListener("change", () => change(value));
    return element("label", {}, input, text_of(value));
  }));
}

const model_column = { title: "model", of: (cell) => chip(cell.model, cell.series) };
const size_column = { title: "size", figure: true, of: (cell) => cell.size };
const layout_column = { title: "ranks×threads", figure: true, of: (cell) => `${cell.ranks}×${cell.threads}` };
const interval_text = (interval) => (interval === null ? "–" : typeset(interval.text));

// ---- Stages ---------------------------------------------------------------------------------------------------------

const stage_columns = [
  { title: "stage", of: (stage) => stage.name },
  { title: "kind", of: (stage) => stage.kind },
  { title: "by", figure: true, of: (stage) => String(stage.workers) },
  { title: "items", figure: true, of: (stage) => stage.items.toLocaleString("en") },
  { title: "in", figure: true, of: (stage) => stage.bytes_in },
  { title: "out", figure: true, of: (stage) => stage.bytes_out },
  { title: "useful", figure: true, of: (stage) => seconds_text(stage.useful_seconds) },
  { title: "queued", figure: true, of: (stage) => seconds_text(stage.queued_seconds) },
  { title: "depth", figure: true, of: (stage) => `${(stage.mean_depth ?? 0).toFixed(stage.mean_depth < 10 ? 1 : 0)}/${stage.most_depth}` },
];

/** What the pipeline of a cell is bound by, what would help, and what came of trying that. */
function pipeline_words({ pipeline: { sentence, advice, change } }) {
  return [
    sentence ? element("p", {}, typeset(sentence)) : null,
    advice ? element("p", { class: "advice" }, typeset(advice)) : null,
    change ? element("p", {}, typeset(change)) : null,
  ].filter((part) => part !== null);
}

/** A figure a series: what its stages did at the chosen size; null for a problem without stages. `of` gives what is shown. */
function stages_part(problem, number, cells, of) {
  const pipelines = cells.filter((cell) => cell.pipeline !== null);
  if (pipelines.length === 0) return null;
  const heading = element("h3", { id: `stages-${number}` });
  const parts = series_of(pipelines, current_theme()).map(({ name, model }) => chart_figure("stages",
    "Medians over the trials that count.", stage_columns,
    (chosen, theme) => {
      const cell = of(pipelines, chosen).find(({ series }) => series === name);
      const title = `Stages of ${name}, size ${chosen.size} on ${plural(cell?.workers ?? chosen.workers, "worker")}`;
      if (cell === undefined) return { title, chart: null, rows: null };
      return { title, head: chip(model, `${name}, ${layout_text(cell)}`), said: pipeline_words(cell),
        chart: stages_chart(cell, theme), rows: cell.pipeline.stages };
    },
    { open: true, key: chart_key([["useful", "useful, shared by all who may be in the stage"],
      ["waiting", "the rest of the run"], ["bound", "the bound"]]) }));
  const part = element("section", { class: "stages", "aria-labelledby": `stages-${number}` }, heading,
    element("p", { class: "lead" }, "What each stage took of the run. Computing stages share the cores, and so follow one another. " +
      "By: who may be in a stage at once. Useful: time in it, over all of them. Queued: how long items waited before it, over " +
      "all items; depth: how many, on average and at the most."),
    element("div", { class: "charts" }, parts.map(({ figure }) => figure)));
  const draw = (chosen) => {
    const shown = of(pipelines, chosen);
    const parallel = shown.filter(({ model }) => model !== "serial");
    const jobs = new Set((parallel.length > 0 ? parallel : shown)
      .map(({ pipeline }) => pipeline.job));
    const [job] = jobs;
    heading.textContent = `Stages of ${titled(problem)}${jobs.size === 1 && job ? `: ${job}` : ""}`;
    part.hidden = shown.length === 0;
    for (const one of parts) one.draw({ ...chosen });
  };
  return { part, draw };
}

function problem_section(problem, number) {
  const cells = data.cells.filter((cell) => cell.question === number);
  const workers = [...new Set(cells.filter((cell) => cell.model !== "serial").map((cell) => cell.workers))]
    .sort((one, other) => one - other);
  if (workers.length === 0) workers.push(...new Set(cells.map((cell) => cell.workers)));
  const sizes = [...new Map(cells.map((cell) => [cell.size, cell.size_value]))]
    .sort(([, one], [, other]) => one - other).map(([size]) => size);
  const selection = { workers: workers[workers.length - 1], size: sizes[sizes.length - 1] };
  const words = { size_title: problem.extent || "size" };

  const serial_or = (chosen) => (cell) => cell.workers === chosen.workers || cell.model === "serial";
  const which = cells.some((cell) => cell.speedup !== null) ? "speedup" : "own_speedup";
  const base = which === "speedup" ? "the serial variant at the same size" : "one worker of the same model";
  const by_size = (one, other) => one.size_value - other.size_value;
  const sorted = (some) => series_of(some, current_theme()).flatMap((series) => series.cells);
  const on_workers = (chosen) => `on ${plural(chosen.workers, "worker")}`;

  const speedup_columns = [model_column, size_column, { title: "workers", figure: true, of: (cell) => String(cell.workers) },
    { title: "speedup [95 %]", figure: true, of: (cell) => interval_text(cell[which]) },
    { title: "efficiency", figure: true,
      of: (cell) => (cell[which] === null ? "–" : percent_text(cell[which].estimate / cell.workers)) }];

  const charts = [
    chart_figure("time", "Medians over the rounds; whiskers are their rank-based 95 % intervals.",
      [size_column, model_column, layout_column,
        { title: "median [95 %]", figure: true, of: (cell) => interval_text(cell.seconds) }],
      (chosen, theme) => {
        const shown = cells.filter(serial_or(chosen));
        return { title: `Time against size, ${on_workers(chosen)}`, chart: time_chart(shown, words, theme),
          rows: sorted(shown).sort(by_size) };
      }),
    chart_figure("ratio", "The best of each side. Up: shared state is faster; down: message passing. " +
      "Hollow: not significant. Grey band: where they cross.",
      [{ title: "size", figure: true, of: (comparison) => comparison.size },
        { title: "faster", of: (comparison) => chip(comparison.faster) },
        { title: "slower", of: (comparison) => chip(comparison.slower) },
        { title: "ratio [95 %]", figure: true, of: (comparison) => interval_text(comparison.ratio) },
        { title: "significant", of: (comparison) => (comparison.significant ? "yes" : "no") }],
      (chosen, theme) => {
        const verdict = problem.verdicts.find((one) => one.axis === "models" && one.workers === chosen.workers) ??
          { comparisons: [], crossovers: [] };
        return { title: `Shared state against message passing, ${on_workers(chosen)}`,
          chart: ratio_chart(verdict, words, theme), rows: verdict.comparisons };
      }),
    chart_figure("speedup-size", `Base: ${base}. Dashed: as many times faster as there are workers.`, speedup_columns,
      (chosen, theme) => {
        const shown = cells.filter((cell) => cell.workers === chosen.workers && cell.model !== "serial");
        return { title: `Speedup against size, ${on_workers(chosen)}`,
          chart: speedup_by_size_chart(shown, which, chosen.workers, words, theme), rows: sorted(shown).sort(by_size) };
      }),
    chart_figure("speedup-workers", `Base: ${base}. Dashed: as many times faster as there are workers.`,
      speedup_columns,
      (chosen, theme) => {
        const shown = cells.filter((cell) => cell.size === chosen.size && cell.model !== "serial");
        return { title: `Speedup against workers, size ${chosen.size}`,
          chart: speedup_by_workers_chart(shown, which, theme),
          rows: sorted(shown).sort((one, other) => one.workers - other.workers) };
      }),
    chart_figure("activity", "What the average worker did during the median time.",
      [model_column, { title: "median [95 %]", figure: true, of: (cell) => interval_text(cell.seconds) },
        ...activities.map((activity, index) => (
          { title: activity, figure: true, of: (cell) => percent_text(cell.seconds === null ? null : cell.shares[index]) }))],
      (chosen, theme) => {
        const shown = cells.filter(serial_or(chosen)).filter((cell) => cell.size === chosen.size);
        return { title: `Where the time went, size ${chosen.size} ${on_workers(chosen)}`,
          chart: activity_chart(shown, theme), rows: sorted(shown) };
      },
      { key: chart_key(activities.map((activity) => [activity, activity])) }),
    chart_figure("trials", "Each point is one trial, left to right within its round. Hollow: set aside, and why on " +
      "hover. Cross: no right answer. Dashed: the median.",
      [model_column, { title: "round", figure: true, of: (trial) => String(trial.round) },
        { title: "trial", figure: true, of: (trial) => String(trial.number) },
        { title: "time", figure: true, of: (trial) => (trial.outcome === "right" ? seconds_text(trial.seconds) : "–") },
        { title: "outcome", of: (trial) => [trial.outcome, ...trial.marks].join(", ") },
        { title: "message", wraps: true, of: (trial) => trial.message }]
        .map((column) => (column === model_column ? { ...column, of: (trial) => model_column.of(trial.cell) } : column)),
      (chosen, theme) => {
        const shown = cells.filter(serial_or(chosen)).filter((cell) => cell.size === chosen.size);
        return { title: `Every trial, size ${chosen.size} ${on_workers(chosen)}`,
          chart: trials_chart(shown, trials_of, theme), rows: sorted(shown).flatMap(trials_of) };
      }),
  ];

  const stages = stages_part(problem, number, cells,
    (some, chosen) => some.filter(serial_or(chosen)).filter((cell) => cell.size === chosen.size));
  const draw_all = () => {
    for (const { draw } of charts) draw({ ...selection });
    stages?.draw(selection);
  };
  const choose = (field) => (value) => {
    selection[field] = value;
    draw_all();
  };
  const controls = [
    workers.length > 1 ? choice("Workers", `workers-${number}`, workers, String, selection.workers, choose("workers")) : null,
    sizes.length > 1 ? choice("Size", `size-${number}`, sizes, String, selection.size, choose("size")) : null,
  ].filter((control) => control !== null);
  const section = element("section", { class: "problem", "aria-labelledby": `problem-${number}` },
    element("h2", { id: `problem-${number}` }, titled(problem)),
    problem.summary ? element("p", { class: "lead" }, problem.summary) : null,
    controls.length > 0 ? element("div", { class: "controls" }, controls) : null,
    element("div", { class: "charts" }, charts.map(({ figure }) => figure)),
    stages?.part ?? null,
    traffic_panel(problem, cells),
    element("div", { class: "panel" }, folded(`All ${plural(cells.length, "cell")} of ${titled(problem)}`, cell_table(problem, cells))));
  return { section, draw_all };
}

// ---- Scaling --------------------------------------------------------------------------------------------------------

/** What a curve says, and what each law came to or why it was refused. */
function scaling_card(curve) {
  return element("article", { class: "card" },
    element("div", { class: "card-title" }, chip(curve.model),
      element("span", {}, `${plural(curve.rounds, "round")} in all points`)),
    element("ul", { class: "reasons" }, curve.sentences.map((sentence) => element("li", {}, typeset(sentence)))));
}

function scaling_section() {
  if (data.scaling === null) return null;
  const curves = data.scaling;
  const [{ title, work }] = curves;
  const bases = { efficiency: "the fewest workers of the same model", serial_efficiency: "the serial variant" };
  const rows = curves.flatMap((curve) => curve.points.map((point) => ({ ...point, curve })));
  const { figure, draw } = chart_figure("efficiency",
    "Whiskers: 95 % intervals of the ratios over common rounds. Lines: Amdahl or Gustafson whole, the USL dotted, where " +
    "they were not refused; drawn against the same model's own base.",
    [{ title: "model", of: (row) => chip(row.curve.model) },
      { title: "workers", figure: true, of: (row) => String(row.workers) },
      { title: "size", figure: true, of: (row) => row.size },
      { title: "time", figure: true, of: (row) => (row.seconds === null ? row.missing : seconds_text(row.seconds.estimate)) },
      { title: "work a worker", figure: true, of: (row) => `${(100 * (1 + row.work_deviation)).toFixed(1)} %` },
      { title: "efficiency, own base [95 %]", figure: true,
        of: (row) => (row.workers === row.curve.base_workers ? "base" : efficiency_text(row.efficiency)) },
      { title: "of serial [95 %]", figure: true, of: (row) => efficiency_text(row.serial_efficiency) }],
    (which, theme) => ({ title: `Efficiency against ${bases[which]}`, chart: efficiency_chart(curves, which, theme), rows }));
  const controls = curves.some((curve) => curve.has_serial)
    ? element("div", { class: "controls" },
      choice("Base", "scaling-base", Object.keys(bases), (which) => bases[which], "efficiency", draw))
    : null;
  const section = element("section", { id: "scaling", "aria-labelledby": "scaling-title" },
    element("h2", { id: "scaling-title" }, typeset(title)),
    element("p", { class: "lead" }, "Up to how many workers efficiency stays above what committees ask for, and which law " +
      "it follows.", work ? ` Checked: ${typeset(work)}.` : ""),
    controls,
    element("div", { class: "charts" }, figure),
    element("div", { class: "cards" }, curves.map(scaling_card)));
  return { section, draw: () => draw("efficiency") };
}

// ---- Tables ---------------------------------------------------------------------------------------------------------

function trials_text(cell) {
  const parts = [`${cell.trials} right`];
  if (cell.set_aside > 0) parts.push(`${cell.set_aside} set aside`);
  if (cell.not_right > 0) parts.push(`${cell.not_right} ${cell.worst}`);
  return parts.join(", ");
}

function cell_table(problem, cells) {
  const share = (field) => (cell) => (cell[field] > 0 ? percent_text(cell[field]) : "–");
  return table(`${titled(problem)}: what was measured of each cell`, [
    size_column, model_column, layout_column,
    { title: "median [95 %]", figure: true, of: (cell) => interval_text(cell.seconds) },
    { title: "throughput", figure: true, of: (cell) => (cell.rate ? typeset(cell.rate) : "–") },
    { title: "of peak", figure: true, of: (cell) => percent_text(cell.of_peak) },
    { title: "speedup over serial", figure: true, of: (cell) => interval_text(cell.speedup) },
    { title: "over one worker", figure: true, of: (cell) => interval_text(cell.own_speedup) },
    { title: "load balance", figure: true, of: share("load_balance") },
    { title: "communication efficiency", figure: true, of: share("communication_efficiency") },
    { title: "trials", of: trials_text },
  ], [...cells].sort((one, other) => one.size_value - other.size_value || one.workers - other.workers));
}

/** What the ranks of each cell moved, exactly; null where no rank received anything. */
function traffic_panel(problem, cells) {
  const moving = cells.filter((cell) => cell.traffic !== null && cell.traffic.received.messages > 0);
  if (moving.length === 0) return null;
  const whole = (figure) => figure.toLocaleString("en");
  const received = (field) => (cell) => whole(cell.traffic.received[field]);
  const between = (field) => (cell) => whole(cell.traffic.received_between_nodes[field]);
  return element("div", { class: "panel traffic" }, folded(`What the ranks of ${titled(problem)} moved`,
    element("p", {}, "Messages and bytes that entered a rank in the trial of median time, counted by the definition of " +
      "each MPI operation, and the part of them that came from another node."),
    table(`${titled(problem)}: messages and bytes received`, [
      size_column, model_column, layout_column,
      { title: "nodes", figure: true, of: (cell) => String(cell.nodes) },
      { title: "bytes, largest rank", figure: true, of: received("most_bytes") },
      { title: "messages, largest rank", figure: true, of: received("most_messages") },
      { title: "bytes in all", figure: true, of: received("bytes") },
      { title: "messages in all", figure: true, of: received("messages") },
      { title: "bytes between nodes", figure: true, of: between("bytes") },
      { title: "messages between nodes", figure: true, of: between("messages") },
      { title: "by", of: (cell) => typeset(cell.traffic.by) },
    ], [...moving].sort((one, other) => one.size_value - other.size_value || one.workers - other.workers))));
}

/** A figure for each problem and size that was simulated, apart from all that was measured. */
function simulated_section() {
  if (data.simulated.length === 0) return null;
  const questions = new Map();
  for (const simulation of data.simulated) {
    const key = `${simulation.problem}, size ${simulation.size}`;
    if (!questions.has(key)) questions.set(key, []);
    questions.get(key).push(simulation);
  }
  const rank_figure = (field) => (row) => (row[field] === "" ? "–" : digits(Number(row[field]), true));
  const figures = [...questions].map(([title, simulations]) => {
    const [{ problem, size }] = simulations;
    const measured = data.cells.filter((cell) =>
      cell.model === "mpi" && cell.size === size && data.problems[cell.question].name === problem);
    return chart_figure("simulated", "Dashed and hollow: simulated, not measured. Filled: measured here, with 95 % intervals. " +
      "Dotted: the first simulated time divided among more ranks.",
      [{ title: "platform", of: (row) => row.simulation.label },
        { title: "ranks", figure: true, of: (row) => String(row.ranks) },
        { title: "nodes", figure: true, of: (row) => String(row.nodes) },
        { title: "time", figure: true, of: (row) => seconds_text(row.seconds) },
        { title: "efficiency", figure: true,
          of: (row) => (row.efficiency === null ? "–" : `${digits(row.efficiency)} of ${row.simulation.base_ranks} ranks`) },
        { title: "useful", figure: true, of: (row) => percent_text(row.useful) },
        { title: "messages a rank", figure: true, of: rank_figure("messages") },
        { title: "bytes a rank", figure: true, of: rank_figure("bytes") },
        { title: "answer", wraps: true,
          of: (row) => (row.outcome === "modelled" ? "not computed" : [row.outcome, row.message].filter(Boolean).join(": ")) }],
      (chosen, theme) => ({
        title: `Time against ranks, ${title}`,
        chart: simulated_chart(simulations, measured, theme),
        rows: simulations.flatMap((simulation) => simulation.points.map((point) => ({ ...point, simulation }))),
      }));
  });
  const section = element("section", { id: "simulated", "aria-labelledby": "simulated-title" },
    element("h2", { id: "simulated-title" }, "Simulated beyond this machine"),
    element("p", { class: "lead" }, "The code of the message-passing variants on described machines, under SimGrid's SMPI: " +
      "messages cost what the description says, computing what one core here was measured to take. It is no measurement, " +
      "and no part of any verdict."),
    element("div", { class: "charts" }, figures.map(({ figure }) => figure)));
  const draw_all = () => {
    for (const { draw } of figures) draw({});
  };
  return { section, draw_all };
}

function troubles_section() {
  const cells = data.cells.filter((cell) => cell.not_right > 0);
  const { warnings } = data.study;
  if (cells.length === 0 && data.troubles.length === 0 && warnings.length === 0) return null;
  return element("section", { id: "troubles", "aria-labelledby": "troubles-title" },
    element("h2", { id: "troubles-title" }, "What went wrong"),
    element("div", { class: "panel" },
      cells.length > 0
        ? table("Cells with trials that failed, hung, were refused or gave a wrong answer", [
          { title: "problem", of: (cell) => titled(data.problems[cell.question]) },
          { title: "size", figure: true, of: (cell) => cell.size },
          { title: "model", of: (cell) => chip(cell.model, cell.series) },
          layout_column,
          { title: "ended", of: (cell) => cell.worst },
          { title: "trials", figure: true, of: (cell) => String(cell.not_right) },
          { title: "message", wraps: true, of: (cell) => cell.message },
        ], cells)
        : null,
      data.troubles.length > 0
        ? [element("h3", {}, "In words"),
          element("ul", { class: "troubles" }, data.troubles.map((trouble) => element("li", {}, typeset(trouble))))]
        : null,
      warnings.length > 0
        ? [element("h3", {}, "Warnings of the study"),
          element("ul", { class: "troubles" }, warnings.map((warning) => element("li", {}, warning)))]
        : null));
}

function machine_section() {
  const { study } = data;
  const { machine } = study;
  const memory = machine.memory_bytes > 0 ? `${digits(machine.memory_bytes / 2 ** 30, true)} GiB` : "";
  const peak = machine.peak_flops_one_core > 0
    ? `${digits(machine.peak_flops_one_core / 1e9, true)} Gflop/s, measured` : "";
  const count = (value) => (value > 0 ? String(value) : "");
  return element("section", { id: "machine", "aria-labelledby": "machine-title" },
    element("h2", { id: "machine-title" }, "Where and how"),
    element("div", { class: "two" },
      element("div", { class: "panel" }, element("h3", {}, "Machine"), fact_list([
        ["host", machine.host],
        ["processor", machine.processor],
        ["cores in use", count(machine.cores)],
        ["threads a core", count(machine.threads_per_core)],
        ["sockets", count(machine.sockets)],
        ["NUMA nodes", count(machine.numa_nodes)],
        ["caches", machine.caches.join(", ")],
        ["memory", memory],
        ["instructions", machine.instruction_sets],
        ["peak of one core", peak],
        ["system", machine.operating_system],
      ])),
      study.nodes.length === 0 ? null
        : element("div", { class: "panel" }, element("h3", {}, "Nodes"), table("nodes, and the way from the first", [
          { title: "host", of: (node) => node.host },
          { title: "cores", figure: true, of: (node) => String(node.cores) },
          { title: "memory", figure: true, of: (node) => node.memory },
          { title: "peak of one core", figure: true, of: (node) => node.peak },
          { title: "latency", figure: true, of: (node) => typeset(node.latency || "–") },
          { title: "bandwidth", figure: true, of: (node) => node.bandwidth || "–" },
        ], study.nodes)),
      element("div", { class: "panel" }, element("h3", {}, "Versions and flags"),
        fact_list([["duet", study.duet_version], ...Object.entries(study.versions)])),
      element("div", { class: "panel" }, element("h3", {}, "The study"), fact_list([
        ["started", date_text(study.started_at)],
        ["ended", study.ended_at ? date_text(study.ended_at) : "not yet"],
        ["ending", study.ending],
        ...Object.entries(study.options),
      ])),
      element("div", { class: "panel" }, element("h3", {}, "Repeat it"),
        element("pre", { class: "command", tabindex: "0" }, study.command),
        folded("One cell by hand", data.problems.map((problem, number) => {
          const cells = data.cells.filter((cell) => cell.question === number);
          return table(titled(problem), [
            { title: "size", figure: true, of: (cell) => cell.size },
            model_column,
            { title: "command", of: (cell) => element("code", {}, cell.command) },
          ], cells);
        })))));
}

function placement_section() {
  if (data.placements.length === 0) return null;
  const rows = data.placements.flatMap(({ cells, workers }) => {
    const [first] = cells.map((index) => data.cells[index]);
    return workers.map((worker, index) => ({ ...worker, index, first, cells: cells.length }));
  });
  return element("section", { id: "placement", "aria-labelledby": "placement-title" },
    element("h2", { id: "placement-title" }, "Which worker ran on which core"),
    element("p", { class: "lead" }, "As seen by the workers themselves, once for all cells that were placed alike."),
    element("div", { class: "panel" }, folded("Placement",
      table("Workers and their cores", [
        { title: "model", of: (row) => (row.index === 0 ? chip(row.first.model) : "") },
        { title: "ranks×threads", figure: true,
          of: (row) => (row.index === 0 ? `${row.first.ranks}×${row.first.threads}` : "") },
        { title: "cells", figure: true, of: (row) => (row.index === 0 ? String(row.cells) : "") },
        { title: "rank", figure: true, of: (row) => String(row.rank) },
        { title: "thread", figure: true, of: (row) => String(row.thread) },
        { title: "host", of: (row) => row.host },
        { title: "core", figure: true, of: (row) => (row.core >= 0 ? String(row.core) : "several") },
        { title: "logical processors", of: (row) => row.processors || "any" },
        { title: "NUMA node", figure: true, of: (row) => (row.numa_node >= 0 ? String(row.numa_node) : "–") },
      ], rows))));
}

// ---- The page -------------------------------------------------------------------------------------------------------

function show_page() {
  fill_top();
  Chart.defaults.font.family = current_theme().font;
  const problems = data.problems.map(problem_section);
  const scaling = scaling_section();
  const simulated = simulated_section();
  document.getElementById("content").append(...[
    caveat_box(),
    scaling?.section ?? null,
    verdicts_section(),
    ...problems.map(({ section }) => section),
    simulated?.section ?? null,
    troubles_section(),
    machine_section(),
    placement_section(),
  ].filter((part) => part !== null));
  document.getElementById("footer").append(
    `Written by duet ${data.study.duet_version}. Medians are over rounds, their 95 % intervals rank-based; ratios ` +
    "are of medians, with bootstrap intervals over rounds. Useful, communicating and waiting time give the efficiencies " +
    "of the POP methodology: load balance is average over largest useful time, communication efficiency is largest " +
    "useful time over run time. Charts by Chart.js (MIT).");
  scaling?.draw();
  for (const { draw_all } of problems) draw_all();
  simulated?.draw_all();

  const redraw = () => {
    for (const draw of redraws) draw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", () => {
    document.documentElement.dataset.print = "";
    redraw();
  });
  addEventListener("afterprint", () => {
    delete document.documentElement.dataset.print;
    redraw();
  });
}

try {
  show_page();
  document.documentElement.dataset.state = "ready";
} catch (error) {
  document.documentElement.dataset.state = "failed";
  document.getElementById("content").append(
    element("p", { class: "notice" }, `This page could not be drawn completely: ${error.message}`));
  throw error;
}
