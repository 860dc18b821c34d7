"use strict";
// The charts of a report, drawn by Chart.js. Each function takes the cells or comparisons to show and gives a Chart.js
// configuration; none touches the page. A model has one colour and one point shape in every chart, so that it can be
// told by either.

const shared_models = ["openmp", "tbb"];
const message_models = ["mpi", "hybrid"];

const model_shapes = {
  serial: { pointStyle: "triangle", rotation: 180 },
  openmp: { pointStyle: "circle", rotation: 0 },
  tbb: { pointStyle: "rect", rotation: 0 },
  mpi: { pointStyle: "triangle", rotation: 0 },
  hybrid: { pointStyle: "rectRot", rotation: 0 },
};

// Lines of one model that differ in layout or tunables share its colour and differ in their dashes.
const dashes = [[], [7, 4], [2, 3], [10, 3, 2, 3]];

// ---- Figures as text ------------------------------------------------------------------------------------------------

/** Three digits, without trailing zeros where `trim`. */
function digits(value, trim = false) {
  const text = value >= 100 ? value.toFixed(0) : value.toPrecision(3);
  return trim ? String(Number(text)) : text;
}

function seconds_text(seconds, trim = false) {
  if (seconds === null || !Number.isFinite(seconds)) return "–";
  if (seconds === 0) return "0 s";
  for (const [unit, factor] of [["ns", 1e9], ["µs", 1e6], ["ms", 1e3]]) {
    if (seconds * factor < 999.5) return `${digits(seconds * factor, trim)} ${unit}`;
  }
  return `${digits(seconds, trim)} s`;
}

function factor_text(factor) {
  return `${digits(factor, true)}×`;
}

function percent_text(share) {
  if (share === null || !Number.isFinite(share)) return "–";
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}

/**
 * What the program writes for terminals, as a page writes it: "1.34x" is "1.34×", "45 us" is "45 µs", and "n = 64" or "2
 * workers" stay on one line.
 */
function typeset(text) {
  return text
    .replace(/(\d)x(?![\w.])/g, "$1×")
    .replace(/(\d) us\b/g, "$1 µs")
    .replace(/ = /g, "\u00a0=\u00a0")
    .replace(/(\d) (workers?|%)/g, "$1\u00a0$2")
    .replace(/^-$/, "–");
}

// ---- Colours --------------------------------------------------------------------------------------------------------

/** The colours that the style sheet holds now: light, dark or for print. */
function current_theme() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: colour("ink"),
    muted: colour("muted"),
    line: colour("line"),
    surface: colour("surface"),
    shared: colour("openmp"),
    messages: colour("mpi"),
    font: style.getPropertyValue("--text-font").trim(),
    of: (model) => colour(model in model_shapes ? model : "serial"),
  };
}

/** `colour` ("#rrggbb") with an opacity. */
function faded(colour, opacity) {
  return `${colour}${Math.round(255 * opacity).toString(16).padStart(2, "0")}`;
}

/** Diagonal stripes of `colour` on a paler ground, for bars that must differ in more than shade. */
function stripes(colour) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.fillStyle = faded(colour, 0.22);
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.beginPath();
  for (const shift of [-8, 0, 8]) {
    pen.moveTo(shift, 8);
    pen.lineTo(shift + 8, 0);
  }
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

// ---- Plugins --------------------------------------------------------------------------------------------------------

/** So many points on a line are a curve: they are small, and so are the ends of their intervals. */
const points_of_a_curve = 40;

/**
 * Draws the interval of each point that has `low` or `high`; an end that is not known runs to the edge, but on a curve,
 * where it would cross the others, there is none.
 */
const whiskers = {
  id: "whiskers",
  beforeDatasetDraw(chart, { index, meta }) {
    const dataset = chart.data.datasets[index];
    if (!dataset.whiskers || meta.hidden) return;
    const { ctx: pen, chartArea: area, scales } = chart;
    const clamp = (y) => Math.min(Math.max(y, area.top), area.bottom);
    pen.save();
    pen.strokeStyle = dataset.borderColor;
    pen.lineWidth = 1.4;
    for (const point of dataset.data) {
      if (point.low === undefined) continue;
      const curve = dataset.data.length > points_of_a_curve;
      if (curve && (point.low === null || point.high === null)) continue;
      const cap = curve ? 0 : 4;
      const x = scales.x.getPixelForValue(point.x);
      const top = point.high === null ? area.top : clamp(scales.y.getPixelForValue(point.high));
      const bottom = point.low === null || point.low <= 0 ? area.bottom : clamp(scales.y.getPixelForValue(point.low));
      pen.beginPath();
      pen.moveTo(x, top);
      pen.lineTo(x, bottom);
      for (const end of [top, bottom]) {
        pen.moveTo(x - cap, end);
        pen.lineTo(x + cap, end);
      }
      pen.stroke();
    }
    pen.restore();
  },
};

/** The regions and lines among `marks`. */
function draw_marks({ ctx: pen, chartArea: area, scales }, marks) {
  pen.save();
  pen.beginPath();
  pen.rect(area.left, area.top, area.width, area.height);
  pen.clip();
  for (const mark of marks) {
    const horizontal = (value, otherwise) => (value === undefined ? otherwise : scales.x.getPixelForValue(value));
    const vertical = (value, otherwise) => (value === undefined ? otherwise : scales.y.getPixelForValue(value));
    const left = horizontal(mark.from_x, area.left);
    const right = horizontal(mark.to_x, area.right);
    const top = vertical(mark.to_y, area.top);
    const bottom = vertical(mark.from_y, area.bottom);
    if (mark.fill) {
      pen.fillStyle = mark.fill;
      pen.fillRect(left, top, right - left, bottom - top);
    } else if (mark.stroke) {
      pen.strokeStyle = mark.stroke;
      pen.lineWidth = mark.width ?? 1.3;
      pen.setLineDash(mark.dash ?? []);
      pen.beginPath();
      pen.moveTo(left, bottom);
      pen.lineTo(right, top);
      pen.stroke();
    }
  }
  pen.restore();
}

/**
 * Draws what belongs to no data, `marks`: {fill} a region, {stroke, dash, width} a straight line, both from (from_x,
 * from_y) to (to_x, to_y), to the edge where one is missing; {text, colour} a label at (at_x, at_y); `over` draws a line over the data. Not an option
 * of the chart, since Chart.js looks up what an option lacks elsewhere.
 */
const annotations = (marks) => ({
  id: "annotations",
  beforeDatasetsDraw(chart) {
    draw_marks(chart, marks.filter((mark) => !mark.over));
  },
  afterDatasetsDraw(chart) {
    const { ctx: pen, chartArea: area, scales } = chart;
    draw_marks(chart, marks.filter((mark) => mark.over));
    pen.save();
    for (const mark of marks) {
      if (!mark.text) continue;
      pen.font = `500 11.5px ${Chart.defaults.font.family}`;
      pen.fillStyle = mark.colour;
      const width = pen.measureText(mark.text).width;
      let x = { left: area.left + 8, right: area.right - width - 8 }[mark.at_x];
      if (x === undefined) x = scales.x.getPixelForValue(mark.at_x) - width / 2;
      x = Math.min(Math.max(x, area.left + 4), area.right - width - 4);
      let y = { above: area.top - 6, top: area.top + 15, below_top: area.top + 33, bottom: area.bottom - 8 }[mark.at_y];
      if (y === undefined) y = scales.y.getPixelForValue(mark.at_y) - 6;
      pen.fillText(mark.text, x, mark.at_y === "above" ? y : Math.max(y, area.top + 11));
    }
    pen.restore();
  },
});

// ---- Axes -----------------------------------------------------------------------------------------------------------

function axis(theme, title, more = {}) {
  const { ticks, grid, ...rest } = more;
  return {
    title: { display: true, text: title, color: theme.muted, font: { size: 12 } },
    border: { color: theme.line },
    grid: { color: theme.line, borderColor: theme.line, tickLength: 4, ...grid },
    ticks: { color: theme.muted, font: { size: 11 }, maxRotation: 0, ...ticks },
    ...rest,
  };
}

/** Ticks at the values that were measured, fewer where they would touch; `text_of` maps a value to its label. */
function measured_ticks(values, text_of, logarithmic, width_of_chart = 420) {
  const position = logarithmic ? Math.log : (value) => value;
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const span = position(sorted[sorted.length - 1]) - position(sorted[0]) || 1;
  const room = (value) => (8 * String(text_of(value)).length + 10) / width_of_chart;
  const kept = [];
  // The largest size matters most: from the right to the left.
  for (const value of [...sorted].reverse()) {
    const next = kept[0];
    if (next === undefined || (position(next) - position(value)) / span >= (room(value) + room(next)) / 2) {
      kept.unshift(value);
    }
  }
  return kept;
}

function size_axis(theme, title, cells) {
  const texts = new Map(cells.map((cell) => [cell.size_value, cell.size]));
  const sizes = [...texts.keys()];
  const least = Math.min(...sizes);
  const most = Math.max(...sizes);
  const margin = least === most ? 1.5 : (most / least) ** 0.05;
  return axis(theme, title, {
    type: "logarithmic",
    min: least / margin,
    max: most * margin,
    grid: { drawOnChartArea: true },
    ticks: { autoSkip: false, callback: (value) => texts.get(value) ?? String(value) },
    afterBuildTicks: (scale) => {
      const kept = measured_ticks(sizes, (value) => texts.get(value), true, scale.width || 420);
      scale.ticks = kept.map((value) => ({ value }));
    },
  });
}

/** A logarithmic axis of seconds: a label for each power of ten, or for 1, 2 and 5 of it where there are few powers. */
function seconds_axis(theme, title, least, most) {
  const decades = Math.log10(most / least);
  const steps = decades < 1.2 ? [1, 1.5, 2, 3, 5, 7] : decades < 3.5 ? [1, 2, 5] : [1];
  return axis(theme, title, {
    type: "logarithmic",
    min: least / 10 ** (0.06 * decades + 0.03),
    max: most * 10 ** (0.06 * decades + 0.03),
    ticks: { autoSkip: false, callback: (value) => seconds_text(value, true) },
    afterBuildTicks: (scale) => {
      const ticks = [];
      for (let power = Math.floor(Math.log10(scale.min)); power <= Math.log10(scale.max); ++power) {
        for (const step of steps) {
          const value = Number((step * 10 ** power).toPrecision(3));
          if (value >= scale.min && value <= scale.max) ticks.push({ value });
        }
      }
      scale.ticks = ticks;
    },
  });
}

// ---- Series ---------------------------------------------------------------------------------------------------------

/** Cells by series, in the order of models and then of first appearance; each with its look. */
function series_of(cells, theme) {
  const groups = new Map();
  for (const cell of cells) {
    if (!groups.has(cell.series)) groups.set(cell.series, []);
    groups.get(cell.series).push(cell);
  }
  const order = Object.keys(model_shapes);
  const sorted = [...groups].sort(
    ([, one], [, other]) => order.indexOf(one[0].model) - order.indexOf(other[0].model));
  const seen = {};
  return sorted.map(([name, members]) => {
    const model = members[0].model;
    const nth = (seen[model] = (seen[model] ?? -1) + 1);
    const colour = theme.of(model);
    const shape = model_shapes[model] ?? model_shapes.serial;
    return {
      name,
      model,
      cells: members,
      look: {
        label: name,
        borderColor: colour,
        backgroundColor: colour,
        pointBackgroundColor: nth % 2 === 0 ? colour : theme.surface,
        pointBorderColor: colour,
        pointStyle: shape.pointStyle,
        legend_shape: shape.pointStyle,
        rotation: shape.rotation,
        pointRotation: shape.rotation,
        pointRadius: shape.pointStyle === "circle" || shape.pointStyle === "rect" ? 4 : 5,
        pointHoverRadius: 7,
        borderWidth: 2,
        borderDash: dashes[nth % dashes.length],
      },
    };
  });
}

/** One line a series through `point_of` its cells, where that gives one: {x, y, low, high}. */
function lines_of(cells, theme, point_of) {
  return series_of(cells, theme)
    .map((series) => ({
      ...series.look,
      showLine: true,
      whiskers: true,
      data: series.cells
        .map((cell) => ({ cell, point: point_of(cell) }))
        .filter(({ point }) => point !== null)
        .map(({ cell, point }) => ({ ...point, cell }))
        .sort((one, other) => one.x - other.x),
    }))
    .filter((dataset) => dataset.data.length > 0)
    .map((dataset) => (dataset.data.length > points_of_a_curve ? { ...dataset, pointRadius: 1.5, borderWidth: 1 } : dataset));
}

function interval_point(x, interval) {
  if (interval === null || !(x > 0) || !(interval.estimate > 0)) return null;
  return { x, y: interval.estimate, low: interval.low, high: interval.high };
}

/** The least and the largest of all points and the finite ends of their intervals. */
function extent_of(datasets) {
  const values = datasets.flatMap((dataset) =>
    dataset.data.flatMap((point) => [point.y, point.low, point.high].filter((value) => value > 0)));
  return values.length === 0 ? [0.1, 10] : [Math.min(...values), Math.max(...values)];
}

function layout_text(cell) {
  return cell.ranks > 1 && cell.threads > 1
    ? `${cell.ranks} ranks of ${cell.threads} threads`
    : cell.ranks > 1 ? `${cell.ranks} ranks` : cell.threads > 1 ? `${cell.threads} threads` : "1 worker";
}

/** The look of a series, whatever its first point looks like. */
function legend_of(chart, theme) {
  return chart.data.datasets.map((dataset, index) => ({
    text: dataset.label,
    fontColor: theme.ink,
    fillStyle: dataset.backgroundColor,
    strokeStyle: dataset.borderColor,
    lineWidth: 1.5,
    pointStyle: dataset.legend_shape,
    rotation: dataset.rotation,
    hidden: !chart.isDatasetVisible(index),
    datasetIndex: index,
  }));
}

function chart_options(theme, tooltip, more = {}) {
  const { plugins, ...rest } = more;
  return {
    responsive: true,
    maintainAspectRatio: false,
    animation: false,
    interaction: { mode: "nearest", axis: "xy", intersect: false },
    layout: { padding: { top: 4, right: 6 } },
    plugins: {
      legend: {
        position: "bottom",
        align: "start",
        labels: {
          usePointStyle: true,
          boxHeight: 7,
          boxWidth: 9,
          padding: 14,
          color: theme.ink,
          font: { size: 12 },
          generateLabels: (chart) => legend_of(chart, theme),
        },
      },
      tooltip: {
        backgroundColor: theme.ink,
        titleColor: theme.surface,
        bodyColor: theme.surface,
        padding: 10,
        cornerRadius: 6,
        displayColors: false,
        titleFont: { size: 12.5 },
        bodyFont: { size: 12 },
        callbacks: tooltip,
      },
      ...plugins,
    },
    ...rest,
  };
}

function cell_tooltip(figure_of) {
  return {
    title: ([item]) => `${item.raw.cell.series}, size ${item.raw.cell.size}`,
    label: ({ raw: { cell } }) => [
      figure_of(cell),
      `${layout_text(cell)}, ${cell.trials} trials in ${cell.seconds.n} rounds`,
      ...(cell.set_aside > 0 ? [`${cell.set_aside} more set aside`] : []),
    ],
  };
}

// ---- The charts -----------------------------------------------------------------------------------------------------

/** Time against size, both logarithmic, with intervals. The time of a wrong answer is no time. */
function time_chart(cells, words, theme) {
  const answered = cells.filter((cell) => cell.worst !== "wrong");
  const datasets = lines_of(answered, theme, (cell) => interval_point(cell.size_value, cell.seconds));
  if (datasets.length === 0) return null;
  return {
    type: "scatter",
    plugins: [whiskers],
    data: { datasets },
    options: chart_options(theme, cell_tooltip((cell) => typeset(cell.seconds.text)), {
      scales: {
        x: size_axis(theme, words.size_title, datasets.flatMap(({ data }) => data.map(({ cell }) => cell))),
        y: seconds_axis(theme, "median time", ...extent_of(datasets)),
      },
    }),
  };
}

function speedup_text(cell, which) {
  return `speedup ${typeset(cell[which].text)}, ${percent_text(cell[which].estimate / cell.workers)} of ideal`;
}

/** Speedup against size at one number of workers; `which` names the base's field. */
function speedup_by_size_chart(cells, which, workers, words, theme) {
  const parallel = cells.filter((cell) => cell.model !== "serial");
  const datasets = lines_of(parallel, theme, (cell) => interval_point(cell.size_value, cell[which]));
  if (datasets.length === 0) return null;
  return {
    type: "scatter",
    plugins: [whiskers, annotations([
      { from_y: workers, to_y: workers, stroke: theme.muted, dash: [6, 5] },
      { text: `ideal: ${workers}×`, at_x: "left", at_y: workers, colour: theme.muted },
    ])],
    data: { datasets },
    options: chart_options(theme, cell_tooltip((cell) => speedup_text(cell, which)), {
      scales: {
        x: size_axis(theme, words.size_title, datasets.flatMap(({ data }) => data.map(({ cell }) => cell))),
        y: axis(theme, "speedup", {
          min: 0,
          suggestedMax: workers * 1.12,
          ticks: { callback: (value) => `${Number(value.toPrecision(3))}×` },
        }),
      },
    }),
  };
}

/** Speedup against workers at one size. */
function speedup_by_workers_chart(cells, which, theme) {
  const parallel = cells.filter((cell) => cell.model !== "serial");
  // Layouts differ between numbers of workers: the lines are the models.
  const by_model = parallel.map((cell) => ({ ...cell, series: cell.model }));
  const datasets = lines_of(by_model, theme, (cell) => interval_point(cell.workers, cell[which]));
  if (datasets.length === 0) return null;
  const counts = [...new Set(parallel.map((cell) => cell.workers))].sort((one, other) => one - other);
  const most = counts[counts.length - 1];
  const logarithmic = most > 8;
  const least = logarithmic ? 1 : 0;
  const ends = logarithmic ? { min: 0.9, max: most * 1.15 } : { min: 0, max: most * 1.12 };
  const type = logarithmic ? "logarithmic" : "linear";
  return {
    type: "scatter",
    plugins: [whiskers, annotations([
      { from_x: least, from_y: least, to_x: most, to_y: most, stroke: theme.muted, dash: [6, 5] },
      { text: "ideal", at_x: most * 0.93, at_y: most * 0.97, colour: theme.muted },
    ])],
    data: { datasets },
    options: chart_options(theme, cell_tooltip((cell) => speedup_text(cell, which)), {
      scales: {
        x: axis(theme, "workers", {
          type,
          ...ends,
          afterBuildTicks: (scale) => {
            const kept = measured_ticks(counts, String, logarithmic, scale.width || 420);
            scale.ticks = kept.map((value) => ({ value }));
          },
          ticks: { autoSkip: false, callback: String },
        }),
        y: axis(theme, "speedup", {
          type,
          min: ends.min,
          suggestedMax: ends.max,
          ticks: { callback: (value) => `${Number(value.toPrecision(3))}×` },
        }),
      },
    }),
  };
}

const simulated_shapes = ["circle", "rectRot", "rect", "triangle"];

/**
 * Time against ranks, both logarithmic: what was simulated, dashed and hollow, and what was measured of the same question.
 * Dotted: the least of the simulated times of each line, divided among more ranks.
 */
function simulated_chart(simulations, cells, theme) {
  const colour = theme.messages;
  const measured = lines_of(cells.map((cell) => ({ ...cell, series: `${cell.model}, measured` })), theme,
    (cell) => interval_point(cell.workers, cell.seconds));
  const simulated = simulations
    .map((simulation, nth) => ({
      label: simulation.label,
      borderColor: colour,
      backgroundColor: theme.surface,
      pointBackgroundColor: theme.surface,
      pointBorderColor: colour,
      pointBorderWidth: 1.6,
      pointStyle: simulated_shapes[nth % simulated_shapes.length],
      legend_shape: simulated_shapes[nth % simulated_shapes.length],
      rotation: 0,
      pointRadius: 5,
      pointHoverRadius: 7,
      borderWidth: 1.6,
      borderDash: dashes[1 + nth % (dashes.length - 1)],
      showLine: true,
      data: simulation.points
        .filter((point) => point.seconds > 0)
        .map((point) => ({ x: point.ranks, y: point.seconds, point, simulation })),
    }))
    .filter(({ data }) => data.length > 0);
  const datasets = [...measured, ...simulated];
  if (datasets.length === 0) return null;
  const counts = [...new Set(datasets.flatMap(({ data }) => data.map(({ x }) => x)))].sort((one, other) => one - other);
  const least = counts[0];
  const most = counts[counts.length - 1];
  const margin = least === most ? 1.5 : (most / least) ** 0.05;
  const [fastest, slowest] = extent_of(datasets);
  const ideals = simulated.map(({ data: [{ x, y }] }) => (
    { from_x: x, from_y: y, to_x: most, to_y: (y * x) / most, stroke: theme.muted, dash: [1, 4] }));
  return {
    type: "scatter",
    plugins: [whiskers, annotations(ideals)],
    data: { datasets },
    options: chart_options(
      theme,
      {
        title: ([{ raw }]) => (raw.point
          ? `${raw.simulation.label}, ${raw.point.ranks} ranks`
          : `${raw.cell.series}, ${layout_text(raw.cell)}`),
        label: ({ raw }) => (raw.point
          ? [
              `${seconds_text(raw.point.seconds)} simulated, not measured`,
              `efficiency ${digits(raw.point.efficiency)} against ${raw.simulation.base_ranks} ranks`,
              `${percent_text(raw.point.useful)} useful`,
            ]
          : [typeset(raw.cell.seconds.text)]),
      },
      {
        scales: {
          x: axis(theme, "ranks", {
            type: "logarithmic",
            min: least / margin,
            max: most * margin,
            afterBuildTicks: (scale) => {
              scale.ticks = measured_ticks(counts, String, true, scale.width || 420).map((value) => ({ value }));
            },
            ticks: { autoSkip: false, callback: String },
          }),
          y: seconds_axis(theme, "time", fastest, slowest),
        },
      },
    ),
  };
}

/** A comparison seen from its first side: time of the second / time of the first, above 1 where the first wins. */
function favour(comparison) {
  const { ratio, winner } = comparison;
  if (ratio === null) return null;
  if (winner === 0) return { value: ratio.estimate, low: ratio.low, high: ratio.high };
  const inverse = (value) => (value === null || value === 0 ? null : 1 / value);
  return { value: 1 / ratio.estimate, low: inverse(ratio.high), high: inverse(ratio.low) };
}

/**
 * The largest factor that a ratio's axis must show, to either side of 1: all estimates, and intervals as far as they do not
 * dwarf them; what is beyond runs to the edge.
 */
function reach_of(comparisons) {
  const either = (factor) => Math.max(factor, 1 / factor);
  const sides = comparisons.map(favour).filter((side) => side !== null);
  const estimates = Math.max(1.12, ...sides.map(({ value }) => either(value)));
  const ends = sides.flatMap(({ low, high }) => [low, high]).filter((end) => end !== null && end > 0).map(either);
  return Math.max(estimates, ...ends.filter((end) => end <= Math.max(estimates ** 2, 1.5))) ** 1.2;
}

/** Message passing's time over shared state's against size, with the line of equality and the crossovers. */
function ratio_chart(verdict, words, theme) {
  const points = verdict.comparisons
    .filter((comparison) => comparison.ratio !== null && comparison.size_value > 0)
    .map((comparison) => {
      const { value, low, high } = favour(comparison);
      return { x: comparison.size_value, y: value, low, high, comparison };
    })
    .sort((one, other) => one.x - other.x);
  if (points.length === 0) return null;
  const reach = reach_of(verdict.comparisons);
  const winner = (point) => theme.of(point.comparison.faster);
  const shape = (point) => model_shapes[point.comparison.faster] ?? model_shapes.serial;
  // The roundest factors first, each where it has room.
  const shown = [1];
  for (const step of [10, 100, 1000, 2, 5, 20, 50, 200, 500, 1.5, 3, 1.2, 7, 1.1, 1.3, 1.05, 1.02]) {
    const room = Math.log(reach) / 5;
    if (step <= reach && shown.every((other) => Math.abs(Math.log(step / other)) >= room)) shown.push(step);
  }
  const crossings = verdict.crossovers.filter(({ last_below, first_above }) => last_below > 0 && first_above > 0);
  const marks = [
    { from_y: 1, fill: faded(theme.shared, 0.07) },
    { to_y: 1, fill: faded(theme.messages, 0.07) },
    { text: "shared state faster", at_x: points[0].y > 1 ? "right" : "left", at_y: "top", colour: theme.shared },
    { text: "message passing faster", at_x: points[0].y < 1 ? "right" : "left", at_y: "bottom", colour: theme.messages },
    { from_y: 1, to_y: 1, stroke: theme.ink, width: 1.4 },
    ...crossings.flatMap(({ last_below, first_above, estimate }) => [
      { from_x: last_below, to_x: first_above, fill: faded(theme.muted, 0.14) },
      ...(estimate > 0
        ? [
            { from_x: estimate, to_x: estimate, stroke: theme.muted, dash: [5, 4] },
            { text: `≈ ${digits(estimate, true)}`, at_x: estimate, at_y: "below_top", colour: theme.ink },
          ]
        : []),
    ]),
  ];
  const dataset = {
    label: "best message passing / best shared state",
    data: points,
    showLine: true,
    whiskers: true,
    borderColor: theme.muted,
    borderWidth: 1.6,
    pointBackgroundColor: points.map((point) => (point.comparison.significant ? winner(point) : theme.surface)),
    pointBorderColor: points.map(winner),
    pointBorderWidth: 1.8,
    pointStyle: points.map((point) => shape(point).pointStyle),
    pointRotation: points.map((point) => shape(point).rotation),
    pointRadius: 5.5,
    pointHoverRadius: 8,
  };
  return {
    type: "scatter",
    plugins: [annotations(marks), whiskers],
    data: { datasets: [dataset] },
    options: chart_options(
      theme,
      {
        title: ([item]) => `size ${item.raw.comparison.size}`,
        label: ({ raw: { comparison } }) => [
          `${comparison.faster} over ${comparison.slower}: ${typeset(comparison.ratio.text)}`,
          comparison.significant ? "significant" : "not significant: they are not told apart",
        ],
      },
      {
        scales: {
          x: size_axis(theme, words.size_title, verdict.comparisons.filter(({ size_value }) => size_value > 0)),
          y: axis(theme, "how many times faster", {
            type: "logarithmic",
            min: 1 / reach,
            max: reach,
            ticks: { autoSkip: false, callback: (value) => (value === 1 ? "equal" : factor_text(Math.max(value, 1 / value))) },
            afterBuildTicks: (scale) => {
              const values = [...shown, ...shown.slice(1).map((step) => 1 / step)].sort((one, other) => one - other);
              scale.ticks = values.map((value) => ({ value }));
            },
          }),
        },
        plugins: { legend: { display: false } },
      },
    ),
  };
}

const activities = ["useful", "communicating", "waiting"];

/** Stacked bars: the median time of each series, divided as its workers booked theirs. */
function activity_chart(cells, theme) {
  const series = series_of(
    cells.filter((cell) => cell.seconds !== null && cell.worst !== "wrong" && cell.shares.some((share) => share > 0)),
    theme);
  if (series.length === 0) return null;
  const bars = series.map(({ name, model, cells: [cell] }) => ({ name, cell, colour: theme.of(model) }));
  const fills = [
    (colour) => colour,
    (colour) => stripes(colour),
    (colour) => faded(colour, 0.16),
  ];
  return {
    type: "bar",
    data: {
      labels: bars.map(({ name }) => name),
      datasets: activities.map((activity, index) => ({
        label: activity,
        data: bars.map(({ cell }) => cell.shares[index] * cell.seconds.estimate),
        cells: bars.map(({ cell }) => cell),
        backgroundColor: bars.map(({ colour }) => fills[index](colour)),
        borderColor: bars.map(({ colour }) => colour),
        borderWidth: 1,
        barPercentage: 0.78,
        categoryPercentage: 0.86,
        maxBarThickness: 40,
      })),
    },
    options: chart_options(
      theme,
      {
        title: ([item]) => item.label,
        label: (item) => {
          if (item.datasetIndex > 0) return [];
          const cell = item.dataset.cells[item.dataIndex];
          return activities.map((activity, index) =>
            `${percent_text(cell.shares[index])} ${activity}, ${seconds_text(cell.shares[index] * cell.seconds.estimate)}`);
        },
      },
      {
        indexAxis: "y",
        interaction: { mode: "index", axis: "y", intersect: false },
        scales: {
          x: axis(theme, "median time, divided as the average worker spent it", {
            stacked: true,
            beginAtZero: true,
            ticks: { callback: (value) => seconds_text(value, true), maxTicksLimit: 6 },
          }),
          y: axis(theme, "", { stacked: true, title: { display: false }, grid: { display: false },
            ticks: { color: theme.ink, font: { size: 12 } } }),
        },
        plugins: {
          legend: { display: false },
        },
      },
    ),
  };
}

/**
 * A bar for each stage of a pipeline on the axis of its cell's median time: the time in the stage, divided among those who
 * may be in it, over all of the time. Computing stages share the cores and follow one another. The bound is a line.
 */
function stages_chart(cell, theme) {
  const { stages, seconds: bound } = cell.pipeline;
  const run = cell.seconds.estimate;
  const colour = theme.of(cell.model);
  const most_letters = 16;
  const short = (name) => (name.length > most_letters ? `${name.slice(0, most_letters - 1)}…` : name);
  const bars = {
    grouped: false,
    borderColor: colour,
    borderWidth: 1,
    borderSkipped: false,
    barPercentage: 0.66,
    categoryPercentage: 1,
    maxBarThickness: 30,
  };
  return {
    type: "bar",
    plugins: [annotations([
      { from_x: bound, to_x: bound, stroke: theme.ink, dash: [5, 4], width: 1.6, over: true },
      { text: `bound: ${seconds_text(bound)}`, at_x: bound, at_y: "above", colour: theme.ink },
    ])],
    data: {
      labels: stages.map(({ name, kind }) => [short(name), kind]),
      datasets: [
        { ...bars, label: "useful", order: 1, backgroundColor: colour, data: stages.map(({ from, to }) => [from, to]) },
        { ...bars, label: "waiting", order: 2, backgroundColor: faded(colour, 0.16), data: stages.map(() => [0, run]) },
      ],
    },
    options: chart_options(
      theme,
      {
        title: ([item]) => stages[item.dataIndex].name,
        label: ({ dataIndex, datasetIndex }) => {
          if (datasetIndex > 0) return [];
          const stage = stages[dataIndex];
          return [
            `${seconds_text(stage.to - stage.from)} of ${seconds_text(run)}`,
            `${seconds_text(stage.useful_seconds)} useful over all who are in it`,
            `${seconds_text(stage.queued_seconds)} queued over ${stage.items.toLocaleString("en")} items`,
          ];
        },
      },
      {
        indexAxis: "y",
        interaction: { mode: "index", axis: "y", intersect: false },
        layout: { padding: { top: 20, right: 10 } },
        scales: {
          x: axis(theme, "median time", {
            min: 0,
            max: Math.max(run, bound, ...stages.map(({ to }) => to)),
            ticks: { callback: (value) => seconds_text(value, true), maxTicksLimit: 6 },
          }),
          y: axis(theme, "", { title: { display: false }, grid: { display: false },
            ticks: { color: theme.ink, font: { size: 12 }, autoSkip: false } }),
        },
        plugins: { legend: { display: false } },
      },
    ),
  };
}

/** Every trial by round: filled where it counts, hollow where it is marked, a cross at the foot where there is no time. */
function trials_chart(cells, trials_of, theme) {
  const series = series_of(cells, theme);
  const all = series.flatMap(({ cells: members }) => members.flatMap((cell) => trials_of(cell)));
  if (all.length === 0) return null;
  const times = all.map((trial) => trial.seconds).filter((seconds) => seconds > 0);
  const least = times.length > 0 ? Math.min(...times) : 0.1;
  const most = times.length > 0 ? Math.max(...times) : 1;
  const foot = least / 10 ** (0.06 * Math.log10(most / least) + 0.02);
  const datasets = series.map(({ look, cells: members }, nth) => {
    const trials = members.flatMap((cell) => trials_of(cell).map((trial) => ({ ...trial, cell })));
    const right = (trial) => trial.outcome === "right" && trial.seconds > 0;
    const counts = (trial) => right(trial) && trial.marks.length === 0;
    const per_launch = Math.max(...trials.map((trial) => trial.number), 0) + 1;
    const place = (trial) => (nth + (trial.number + 0.5) / per_launch) / series.length;
    return {
      ...look,
      showLine: false,
      data: trials.map((trial) => ({
        x: trial.round + 0.1 + 0.8 * place(trial),
        y: right(trial) ? trial.seconds : foot,
        trial,
      })),
      pointBackgroundColor: trials.map((trial) => (counts(trial) ? faded(look.borderColor, 0.8) : "transparent")),
      pointStyle: trials.map((trial) => (right(trial) ? look.pointStyle : "crossRot")),
      pointBorderWidth: trials.map((trial) => (right(trial) ? 1.3 : 2.4)),
      pointRadius: trials.map((trial) => (right(trial) ? 3.6 : 6)),
    };
  });
  const medians = series.flatMap(({ model, cells: members }) =>
    members.filter((cell) => cell.seconds !== null).map((cell) => ({
      from_y: cell.seconds.estimate,
      to_y: cell.seconds.estimate,
      stroke: faded(theme.of(model), 0.55),
      dash: [3, 4],
      width: 1,
    })));
  const rounds = [...new Set(all.map((trial) => trial.round))];
  const first = Math.min(...rounds);
  const last = Math.max(...rounds);
  return {
    type: "scatter",
    plugins: [annotations(medians)],
    data: { datasets },
    options: chart_options(
      theme,
      {
        title: ([{ raw: { trial } }]) => `${trial.cell.series}, round ${trial.round}, trial ${trial.number}`,
        label: ({ raw: { trial } }) => [
          trial.outcome === "right" ? seconds_text(trial.seconds) : trial.outcome,
          ...(trial.message ? [trial.message.slice(0, 90)] : []),
          ...(trial.marks.length > 0 ? [`set aside: ${trial.marks.join(", ")}`] : []),
          ...(trial.canary_before > 0
            ? [`canary ${digits(trial.canary_before / 1e9)} before, ${digits(trial.canary_after / 1e9)} Gop/s after`]
            : []),
          ...(trial.hop_seconds > 0 ? [`${digits(trial.hop_seconds * 1e9)} ns from core to core`] : []),
          ...(trial.started_at ? [trial.started_at] : []),
        ],
      },
      {
        scales: {
          x: axis(theme, "round", {
            type: "linear",
            min: first,
            max: last + 1,
            grid: { drawOnChartArea: true },
            ticks: { precision: 0, callback: (value) => (Number.isInteger(value) && value <= last ? String(value) : "") },
          }),
          y: seconds_axis(theme, "time of a trial", least, most),
        },
      },
    ),
  };
}

// ---- Scaling --------------------------------------------------------------------------------------------------------

const asked_shares = [0.75, 0.5];

/** "97 % [95, 99]" */
function efficiency_text(interval) {
  if (interval === null) return "–";
  const narrow = interval.high !== null && interval.high - interval.low < 0.02;
  const figure = (share) => (100 * share).toFixed(narrow ? 1 : 0);
  const ends = interval.high === null ? "" : ` [${figure(interval.low)}, ${figure(interval.high)}]`;
  return `${figure(interval.estimate)} %${ends}`;
}

/** The law of each curve that was fitted, as short straight lines: Amdahl and Gustafson whole, the USL dotted. */
function law_marks(curves, theme) {
  return curves.flatMap((curve) => curve.fits.filter((fit) => fit.refusal === "").flatMap((fit) => {
    const steps = fit.line.slice(1).map((end, index) => ({ from: fit.line[index], to: end, index }));
    return steps
      .filter(({ from, to, index }) => from[1] !== null && to[1] !== null && (fit.law !== "USL" || index % 2 === 0))
      .map(({ from, to }) => ({
        from_x: from[0], from_y: from[1], to_x: to[0], to_y: to[1],
        stroke: faded(theme.of(curve.model), 0.55), width: 1.2,
      }));
  }));
}

/** Efficiency against workers; `which` names the base's field, and laws are drawn for the model's own base alone. */
function efficiency_chart(curves, which, theme) {
  const own = which === "efficiency";
  const base = { estimate: 1, low: 1, high: 1 };
  const cells = curves.flatMap((curve) => curve.points.map((point) => ({
    ...point,
    model: curve.model,
    series: curve.model,
    shown: own && point.workers === curve.base_workers ? base : point[which],
  })));
  const datasets = lines_of(cells, theme, (cell) => interval_point(cell.workers, cell.shown))
    .map((dataset) => ({ ...dataset, borderWidth: own ? 0 : 1.4 }));
  if (datasets.length === 0) return null;
  const counts = [...new Set(cells.map((cell) => cell.workers))].sort((one, other) => one - other);
  const most = counts[counts.length - 1];
  const logarithmic = most > 8;
  const highest = Math.max(1, ...datasets.flatMap(({ data }) => data.map((point) => point.y)));
  return {
    type: "scatter",
    plugins: [whiskers, annotations([
      { from_y: 1, to_y: 1, stroke: theme.muted, dash: [6, 5] },
      { text: "ideal", at_x: "right", at_y: 1, colour: theme.muted },
      ...asked_shares.flatMap((share) => [
        { from_y: share, to_y: share, stroke: theme.muted, dash: [1, 3] },
        { text: percent_text(share), at_x: "left", at_y: share, colour: theme.muted },
      ]),
      ...(own ? law_marks(curves, theme) : []),
    ])],
    data: { datasets },
    options: chart_options(
      theme,
      {
        title: ([{ raw: { cell } }]) => `${cell.model} on ${cell.workers}, size ${cell.size}`,
        label: ({ raw: { cell } }) => [
          own && cell[which] === null ? "the base" : `efficiency ${efficiency_text(cell.shown)}`,
          `${seconds_text(cell.seconds.estimate)}, ${layout_text(cell)}`,
          ...(cell.oversubscribed ? ["more workers than cores"] : []),
        ],
      },
      {
        scales: {
          x: axis(theme, "workers", {
            type: logarithmic ? "logarithmic" : "linear",
            min: counts[0] * (logarithmic ? 0.9 : 1) - (logarithmic ? 0 : 0.15),
            max: logarithmic ? most * 1.1 : most + 0.15,
            afterBuildTicks: (scale) => {
              const kept = measured_ticks(counts, String, logarithmic, scale.width || 420);
              scale.ticks = kept.map((value) => ({ value }));
            },
            ticks: { autoSkip: false, callback: String },
          }),
          y: axis(theme, "efficiency", {
            min: 0,
            max: Math.ceil(10 * (highest + 0.08)) / 10,
            ticks: { callback: (value) => `${Math.round(100 * value)} %` },
          }),
        },
      },
    ),
  };
}
