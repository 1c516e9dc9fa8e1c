/*
 * Page maps. A region's runs are drawn by level of detail: a cell stands for 1, 2, 4, ... pages, so
 * that the cost is in runs, never in pages. A copied page is never lost in a large cell.
 */

const CATEGORIES = 10;
const STATE_ORDER = "CHSsirzf?";
const FOLD = 64; /* untouched stretches of many such blocks are folded away */
const REGIONS_SHOWN = 12;

/* ---- runs of a region, as they are looked at ---- */

/* How the pages are shown: by: kind, state or time; epoch: -1 for the latest of each page. */
const view = {by: "kind", epoch: -1, fold: true};

/* Calls use(start, pages, index) for first writes of the region, by address. */
function eachWrite(region, use) {
	const runs = region.process.runs;
	const to = view.epoch < 0 ? region.earlier : region.to;
	for (let i = region.from; i < to; i++) {
		if ((view.epoch >= 0 && runs.epoch[i] !== view.epoch) ||
		    !(chosen.kinds >> (runs.how[i] & 7) & 1) || !onSide(region.process, runs.epoch[i]))
			continue;
		use(runs.start[i], runs.pages[i], i);
	}
}

function eachState(region, use) {
	const states = region.process.states;
	for (let i = region.statesFrom; i < region.statesTo; i++)
		use(states.start[i], states.pages[i], i);
}

/* Calls use(start, pages, category, time) for what is drawn. */
function eachDrawn(region, use) {
	if (view.by === "state") {
		const letters = region.process.states.letter;
		eachState(region, (start, pages, i) =>
			use(start, pages, STATE_ORDER.indexOf(String.fromCharCode(letters[i])), 0));
	} else {
		const runs = region.process.runs;
		eachWrite(region, (start, pages, i) => use(start, pages, runs.how[i] & 7, runs.time[i]));
	}
}

function categoryColour(category) {
	return colour(view.by === "state" ? STATES[STATE_ORDER[category]].name : KINDS[category].name);
}

function isCopy(category) {
	return view.by === "state" ? category < 3 : (COPIES >> category & 1) === 1;
}

/*
 * What each of `count` cells of `pagesPerCell` pages holds. `place` turns a page into its position
 * in the picture; positions before `first` are not in it.
 */
function fillCells(region, first, count, pagesPerCell, place) {
	const cells = {counts: new Float64Array(count * CATEGORIES), time: new Float64Array(count),
		pages: new Float64Array(count)};
	const end = first + count * pagesPerCell;
	eachDrawn(region, (start, pages, category, time) => {
		let from = place(start);
		const to = Math.min(from + pages, end);
		from = Math.max(from, first);
		while (from < to) {
			const cell = Math.floor((from - first) / pagesPerCell);
			const stop = Math.min(to, first + (cell + 1) * pagesPerCell);
			cells.counts[cell * CATEGORIES + category] += stop - from;
			cells.time[cell] += time * (stop - from);
			cells.pages[cell] += stop - from;
			from = stop;
		}
	});
	return cells;
}

/* The category with most pages of a cell, among copies only if asked; -1: none. */
function mostOf(cells, cell, copies) {
	let most = -1, pages = 0;
	for (let i = 0; i < CATEGORIES; i++) {
		const here = cells.counts[cell * CATEGORIES + i];
		if (here > pages && (!copies || isCopy(i))) {
			most = i;
			pages = here;
		}
	}
	return most;
}

function drawCell(context, cells, cell, pagesPerCell, x, y, width, height) {
	const most = mostOf(cells, cell, false);
	if (most < 0)
		return;
	context.globalAlpha = 0.4 + 0.6 * Math.min(1, cells.pages[cell] / pagesPerCell);
	context.fillStyle = view.by === "time" ?
		d3.interpolateCividis(cells.time[cell] / cells.pages[cell] / (chosen.recording.duration || 1)) :
		categoryColour(most);
	context.fillRect(x, y, width, height);
	const copies = view.by === "time" || isCopy(most) ? -1 : mostOf(cells, cell, true);
	context.globalAlpha = 1;
	if (copies >= 0) {
		context.fillStyle = categoryColour(copies);
		context.fillRect(x, y + height / 2, width, height / 2);
	}
}

/* A canvas as sharp as the screen; returns its context, in CSS pixels. */
function sharpContext(canvas, width, height) {
	const ratio = devicePixelRatio || 1;
	canvas.width = Math.round(width * ratio);
	canvas.height = Math.round(height * ratio);
	const context = canvas.getContext("2d");
	context.scale(ratio, ratio);
	return context;
}

/* The whole region in one line. */
function drawStrip(canvas, region) {
	const width = canvas.clientWidth, height = canvas.clientHeight;
	if (!width)
		return;
	const context = sharpContext(canvas, width, height);
	const cells = Math.min(Math.floor(width), region.pages), pagesPerCell = Math.ceil(region.pages / cells);
	const count = Math.ceil(region.pages / pagesPerCell), step = width / count;
	const filled = fillCells(region, 0, count, pagesPerCell, page => page);
	for (let i = 0; i < count; i++) {
		const left = Math.floor(i * step), right = Math.max(left + 1, Math.floor((i + 1) * step));
		drawCell(context, filled, i, pagesPerCell, left, 0, right - left - (step > 4 ? 1 : 0), height);
	}
}

/* ---- untouched stretches are folded ---- */

/* Stretches of a region that hold something, whole blocks, with their positions in the picture. */
function findSegments(region) {
	const runs = region.process.runs, states = region.process.states;
	return mergeSegments(mergeSegments(
		segmentsOf(runs, region.from, region.earlier, region.pages),
		segmentsOf(runs, region.earlier, region.to, region.pages)),
	segmentsOf(states, region.statesFrom, region.statesTo, region.pages));
}

/* Those of runs in ascending order. */
function segmentsOf(runs, from, to, pages) {
	const segments = [];
	let last = null;
	for (let i = from; i < to; i++) {
		const start = Math.floor(runs.start[i] / FOLD) * FOLD;
		const end = Math.min(pages, Math.ceil((runs.start[i] + runs.pages[i]) / FOLD) * FOLD);
		if (last && start <= last.end + FOLD * 4)
			last.end = Math.max(last.end, end);
		else
			segments.push(last = {start, end});
	}
	return segments;
}

function mergeSegments(left, right) {
	const merged = [];
	for (let i = 0, j = 0; i < left.length || j < right.length;) {
		const take = j >= right.length || (i < left.length && left[i].start <= right[j].start) ? left[i++] : right[j++];
		const last = merged[merged.length - 1];
		if (last && take.start <= last.end + FOLD * 4)
			last.end = Math.max(last.end, take.end);
		else
			merged.push(take);
	}
	return merged;
}

function layOut(region) {
	let segments = view.fold ? findSegments(region) : [];
	if (!segments.length)
		segments = [{start: 0, end: region.pages}];
	let position = 0;
	for (const segment of segments) {
		segment.position = position;
		position += segment.end - segment.start;
	}
	return {segments, length: position};
}

const segmentByPage = d3.bisector(segment => segment.start).right;
const segmentByPosition = d3.bisector(segment => segment.position).right;

function placeOf(layout, page) {
	const segment = layout.segments[Math.max(0, segmentByPage(layout.segments, page) - 1)];
	return segment.position + Math.min(page, segment.end - 1) - segment.start;
}

function pageAt(layout, position) {
	const segment = layout.segments[Math.max(0, segmentByPosition(layout.segments, position) - 1)];
	return Math.min(segment.end - 1, segment.start + position - segment.position);
}

/* ---- one region, page by page ---- */

class PageMap {
	constructor(parent) {
		this.canvas = make("canvas", {tabindex: 0, role: "img", "aria-describedby": "inspector",
			"aria-label": "Page map. Arrow keys move, plus and minus zoom, n and p go to the next and the previous first write."});
		this.title = make("h3", {id: "maptitle"});
		this.level = make("span", {class: "level"});
		const button = (text, title, act) => make("button", {type: "button", title, onclick: act}, text);
		this.tools = make("div", {class: "tools"},
			button("−", "Zoom out (-)", () => this.zoom(-1)), button("+", "Zoom in (+)", () => this.zoom(1)),
			button("whole", "The whole mapping (0)", () => this.whole()),
			button("‹ previous", "Previous first write (p)", () => this.jump(-1)),
			button("next ›", "Next first write (n)", () => this.jump(1)), this.level);
		this.inspector = make("div", {id: "inspector", class: "inspector", "aria-live": "polite"});
		parent.append(this.title, this.tools, make("div", {class: "pages"}, this.canvas, this.inspector));
		whenResized(this.canvas.parentElement, () => this.region && this.whole());
		this.canvas.addEventListener("keydown", event => this.key(event));
		this.canvas.addEventListener("pointermove", event => this.point(event, false));
		this.canvas.addEventListener("pointerleave", hideTip);
		this.canvas.addEventListener("click", event => this.point(event, true));
		this.canvas.addEventListener("dblclick", () => this.zoom(2));
		this.canvas.addEventListener("wheel", event => this.wheel(event), {passive: false});
	}

	show(region) {
		this.region = region;
		const range = `${address(region, 0)}-${address(region, region.pages)}`;
		this.title.textContent = `${region.name} `;
		this.title.append(make("small", {}, `${range}, ${size(region.pages * region.process.pageSize)}, ` +
			region.process.name + (!region.gone ? "" : region.process.regions.every(one => one.gone) ? ", no snapshot tells of it" : ", unmapped before the last snapshot") +
			(region.limit ? `, not protected: ${LIMITS[region.limit] || "unknown reason"}` : "")));
		this.lay();
		this.cursor = placeOf(this.layout, this.firstPage());
		this.whole();
		this.inspect();
	}

	lay() {
		const start = this.region.process.runs.start, writes = new Uint32Array(this.region.to - this.region.from);
		let count = 0;
		this.layout = layOut(this.region);
		eachWrite(this.region, (_, pages, i) => writes[count++] = i);
		this.writes = writes.subarray(0, count);
		if (view.epoch >= 0)
			this.writes.sort((a, b) => start[a] - start[b]);
		this.byStart = d3.bisector(i => start[i]);
	}

	firstPage() {
		return this.writes.length ? this.region.process.runs.start[this.writes[0]] : this.layout.segments[0].start;
	}

	/* ---- geometry ---- */

	measure() {
		const width = this.canvas.clientWidth;
		this.columns = width > 720 && this.layout.length > 64 * 32 ? 128 : 64;
		this.cell = width / this.columns;
		this.rows = Math.max(8, Math.floor(400 / Math.max(this.cell, 6)));
		this.cellHeight = Math.max(this.cell, 6);
	}

	whole() {
		this.measure();
		this.pagesPerCell = 1;
		while (this.pagesPerCell * this.columns * this.rows < this.layout.length)
			this.pagesPerCell *= 2;
		this.most = this.pagesPerCell;
		this.first = 0;
		this.draw();
	}

	zoom(steps) {
		const wanted = this.pagesPerCell / 2 ** steps;
		this.pagesPerCell = Math.max(1, Math.min(this.most, wanted));
		this.first = this.cursor - this.rowPages() * Math.floor(this.rows / 2);
		this.draw();
	}

	rowPages() {
		return this.columns * this.pagesPerCell;
	}

	clamp() {
		const row = this.rowPages();
		const last = Math.max(0, (Math.ceil(this.layout.length / row) - this.rows) * row);
		this.first = Math.max(0, Math.min(last, Math.floor(this.first / row) * row));
	}

	/* ---- drawing ---- */

	draw() {
		if (!this.region || !this.canvas.clientWidth)
			return;
		this.clamp();
		const left = Math.ceil((this.layout.length - this.first) / this.pagesPerCell);
		this.count = Math.min(left, this.columns * this.rows);
		const rows = Math.max(1, Math.ceil(this.count / this.columns)), height = rows * this.cellHeight;
		this.canvas.style.height = `${height}px`;
		const context = sharpContext(this.canvas, this.canvas.clientWidth, height);
		const cells = fillCells(this.region, this.first, this.count, this.pagesPerCell,
			page => placeOf(this.layout, page));
		const gap = this.cell > 5 ? 1 : 0;
		context.fillStyle = colour("untouched");
		for (let i = 0; i < this.count; i++)
			context.fillRect(i % this.columns * this.cell, Math.floor(i / this.columns) * this.cellHeight,
				this.cell - gap, this.cellHeight - gap);
		for (let i = 0; i < this.count; i++)
			drawCell(context, cells, i, this.pagesPerCell, i % this.columns * this.cell,
				Math.floor(i / this.columns) * this.cellHeight, this.cell - gap, this.cellHeight - gap);
		this.drawFolds(context);
		this.drawCursor(context);
		this.canvas.dataset.drawn = d3.sum(cells.pages);
		this.level.textContent = (this.pagesPerCell === 1 ? "a cell is 1 page" :
			`a cell is ${this.pagesPerCell} pages, ${size(this.pagesPerCell * this.region.process.pageSize)}`) +
			(this.layout.length < this.region.pages ?
				`; ${size((this.region.pages - this.layout.length) * this.region.process.pageSize)} untouched folded` : "");
	}

	drawFolds(context) {
		context.fillStyle = colour("text");
		context.globalAlpha = 0.4;
		const from = segmentByPosition(this.layout.segments, this.first);
		let last = -1;
		for (let i = Math.max(1, from); i < this.layout.segments.length; i++) {
			const cell = Math.floor((this.layout.segments[i].position - this.first) / this.pagesPerCell);
			if (cell >= this.count)
				break;
			if (cell !== last && this.cell > 3)
				context.fillRect(cell % this.columns * this.cell - 1,
					Math.floor(cell / this.columns) * this.cellHeight, 1, this.cellHeight);
			last = cell;
		}
		context.globalAlpha = 1;
	}

	drawCursor(context) {
		const cell = Math.floor((this.cursor - this.first) / this.pagesPerCell);
		if (!(cell >= 0 && cell < this.count))
			return;
		const x = cell % this.columns * this.cell, y = Math.floor(cell / this.columns) * this.cellHeight;
		context.lineWidth = 2;
		context.strokeStyle = colour("text");
		context.strokeRect(x - 0.5, y - 0.5, this.cell, this.cellHeight);
	}

	/* ---- what is looked at ---- */

	moveTo(position, scroll) {
		this.cursor = Math.max(0, Math.min(this.layout.length - 1, position));
		if (scroll) {
			const end = this.first + this.rows * this.rowPages();
			if (this.cursor < this.first || this.cursor >= end)
				this.first = this.cursor - this.rowPages() * Math.floor(this.rows / 2);
		}
		this.draw();
		this.inspect();
	}

	cellAt(event) {
		const box = this.canvas.getBoundingClientRect();
		const x = Math.floor((event.clientX - box.left) / this.cell);
		const y = Math.floor((event.clientY - box.top) / this.cellHeight);
		const cell = y * this.columns + x;
		return x < 0 || x >= this.columns || cell < 0 || cell >= this.count ? -1 : cell;
	}

	point(event, choose) {
		const cell = this.region ? this.cellAt(event) : -1;
		if (cell < 0) {
			hideTip();
			return;
		}
		const position = this.first + cell * this.pagesPerCell;
		const found = this.describe(position);
		showTip(event, [found.title, ...found.short]);
		if (choose)
			this.moveTo(position, false);
	}

	wheel(event) {
		const before = this.first;
		if (event.ctrlKey) {
			this.zoom(event.deltaY < 0 ? 1 : -1);
		} else {
			this.first += Math.sign(event.deltaY) * this.rowPages() * 3;
			this.draw();
		}
		if (event.ctrlKey || this.first !== before)
			event.preventDefault();
	}

	key(event) {
		const row = this.rowPages(), acts = {
			ArrowLeft: () => this.moveTo(this.cursor - this.pagesPerCell, true),
			ArrowRight: () => this.moveTo(this.cursor + this.pagesPerCell, true),
			ArrowUp: () => this.moveTo(this.cursor - row, true),
			ArrowDown: () => this.moveTo(this.cursor + row, true),
			PageUp: () => this.moveTo(this.cursor - row * this.rows, true),
			PageDown: () => this.moveTo(this.cursor + row * this.rows, true),
			Home: () => this.moveTo(0, true),
			End: () => this.moveTo(this.layout.length - 1, true),
			"+": () => this.zoom(1), "=": () => this.zoom(1), "-": () => this.zoom(-1),
			0: () => this.whole(), n: () => this.jump(1), p: () => this.jump(-1),
		};
		if (!acts[event.key] || event.ctrlKey || event.altKey || event.metaKey)
			return;
		event.preventDefault();
		acts[event.key]();
	}

	/* To the next run of pages that were written first together. */
	jump(way) {
		const page = pageAt(this.layout, this.cursor), start = this.region.process.runs.start;
		const next = this.writes[way > 0 ? this.byStart.right(this.writes, page) : this.byStart.left(this.writes, page) - 1];
		if (next !== undefined)
			this.moveTo(placeOf(this.layout, start[next]), true);
	}

	/* First writes and states of the cell at a position. */
	describe(position) {
		const region = this.region, runs = region.process.runs;
		const from = pageAt(this.layout, position);
		const to = pageAt(this.layout, Math.min(this.layout.length, position + this.pagesPerCell) - 1) + 1;
		const writes = [], states = new Map();
		for (let at = Math.max(0, this.byStart.right(this.writes, from) - 1); at < this.writes.length && writes.length < 64; at++) {
			const i = this.writes[at];
			if (runs.start[i] >= to)
				break;
			if (runs.start[i] + runs.pages[i] > from)
				writes.push(i);
		}
		eachState(region, (start, pages, i) => {
			const inside = Math.min(to, start + pages) - Math.max(from, start);
			const letter = String.fromCharCode(region.process.states.letter[i]);
			if (inside > 0)
				states.set(letter, (states.get(letter) || 0) + inside);
		});
		const title = to - from === 1 ? address(region, from) : `${address(region, from)}-${address(region, to)}`;
		const first = writes[0], short = [];
		if (first !== undefined) {
			short.push(functionTitle(chosen.recording.stacks[runs.stack[first]][0].code),
				KINDS[runs.how[first] & 7].means, `at +${duration(runs.time[first])}`);
			if (writes.length > 1)
				short.push(`and ${writes.length - 1}${writes.length === 64 ? " or more" : ""} more first writes`);
		}
		for (const [letter, pages] of states)
			short.push(`${to - from === 1 ? "" : pageCount(pages) + " "}${STATES[letter] ? STATES[letter].means : letter}`);
		if (!short.length)
			short.push("untouched, or nothing that is counted");
		return {title, short, writes, states, from, to};
	}

	inspect() {
		const found = this.describe(this.cursor), runs = this.region.process.runs;
		const parts = [make("h4", {}, found.title)];
		for (const [letter, pages] of found.states)
			parts.push(make("p", {class: "state"}, make("i", {class: `swatch ${(STATES[letter] || STATES["?"]).name}`}),
				`${pageCount(pages)} ${(STATES[letter] || STATES["?"]).means}`));
		for (const i of found.writes.slice(0, 4))
			parts.push(this.writeDetails(runs, i));
		if (found.writes.length > 4)
			parts.push(make("p", {}, "More first writes lie here: zoom in."));
		if (parts.length === 1)
			parts.push(make("p", {}, "Untouched, or nothing that is counted."));
		this.inspector.replaceChildren(...parts);
	}

	writeDetails(runs, i) {
		const kind = KINDS[runs.how[i] & 7], cause = CAUSES[Math.min(4, runs.how[i] >> 3 & 7)];
		const later = runs.how[i] & 64 ? "" : "; written first again later";
		return make("div", {class: "write"},
			make("p", {}, make("i", {class: `swatch ${kind.name}`}), make("strong", {}, kind.name),
				` ${kind.means}; by ${cause} at +${duration(runs.time[i])}, epoch ${runs.epoch[i]}, ` +
				`with ${pageCount(runs.pages[i])} in a row${later}`),
			stackList(chosen.recording.stacks[runs.stack[i]]));
	}
}

/* ---- all regions ---- */

class MapSection {
	constructor(section) {
		this.controls = make("div", {class: "tools"});
		this.list = make("div", {class: "regions", role: "list"});
		this.more = make("button", {type: "button", class: "more", onclick: () => {
			this.shown += REGIONS_SHOWN * 4;
			this.drawList();
		}});
		this.legend = make("p", {class: "legend"});
		const detail = make("div", {class: "detail"});
		section.append(this.controls, this.legend, make("div", {class: "maps"},
			make("div", {class: "side"}, this.list, this.more), detail));
		this.map = new PageMap(detail);
		this.makeControls();
		this.seen = new IntersectionObserver(entries => entries.forEach(entry => {
			if (entry.isIntersecting && entry.target.clientWidth !== entry.target.drawnWidth) {
				entry.target.drawnWidth = entry.target.clientWidth;
				drawStrip(entry.target, entry.target.region);
			}
		}));
		whenChosen(() => this.count());
		DARK.addEventListener("change", () => {
			colourCache.clear();
			this.drawList();
			this.map.draw();
		});
		let width = innerWidth;
		addEventListener("resize", () => {
			if (width !== innerWidth)
				this.drawList();
			width = innerWidth;
		});
	}

	makeControls() {
		const by = select("Colours", [["kind", "kind of first write"], ["state", "kernel's state at the end"],
			["time", "time of first write"]], value => this.look({by: value}));
		this.epochs = make("select", {onchange: () => this.look({epoch: Number(this.epochs.value)})});
		const fold = make("input", {type: "checkbox", checked: true, onchange: () => this.look({fold: fold.checked})});
		this.controls.append(by.label, make("label", {}, make("span", {}, "First writes"), this.epochs),
			make("label", {class: "check"}, fold, "fold untouched stretches"));
	}

	look(change) {
		Object.assign(view, change);
		this.drawList();
		this.drawLegend();
		if (this.map.region)
			this.map.show(this.map.region);
	}

	count() {
		const all = totals();
		this.regions = [];
		for (const process of chosenProcesses())
			for (const region of process.regions)
				this.regions.push({region, ...all.regions.get(region)});
		this.regions.sort((a, b) => b.weight - a.weight || b.region.copied - a.region.copied || a.region.page - b.region.page);
		this.shown = REGIONS_SHOWN;
		this.fillEpochs();
		this.drawList();
		this.drawLegend();
		const kept = this.regions.find(one => one.region === this.map.region);
		if (kept || this.regions.length)
			this.choose((kept || this.regions[0]).region);
	}

	fillEpochs() {
		const epochs = new Set();
		for (const process of chosenProcesses())
			for (const lane of process.lanes)
				epochs.add(lane.epoch);
		if (!epochs.has(view.epoch))
			view.epoch = -1;
		const sorted = [...epochs].sort((a, b) => a - b).slice(0, 1000);
		this.epochs.replaceChildren(make("option", {value: -1}, "the latest of each page"),
			...sorted.map(epoch => make("option", {value: epoch},
				epoch ? `after fork ${epoch}` : "before any fork")));
		this.epochs.value = view.epoch;
	}

	choose(region) {
		this.map.show(region);
		for (const row of this.list.children) {
			const is = row.region === region;
			row.classList.toggle("chosen", is);
			row.firstChild.setAttribute("aria-pressed", is);
		}
	}

	drawList() {
		this.seen.disconnect();
		const many = chosenProcesses().length > 1;
		this.list.replaceChildren(...this.regions.slice(0, this.shown).map(one => {
			const {region} = one, canvas = make("canvas", {class: "strip", "aria-hidden": "true"});
			const row = make("div", {role: "listitem", class: region === this.map.region ? "chosen" : ""},
				make("button", {type: "button", "aria-pressed": region === this.map.region, onclick: () => this.choose(region)},
					make("span", {class: "name"}, region.name),
					make("span", {class: "numbers"}, `${size(region.pages * region.process.pageSize)}, ` +
						`${chosen.kinds === COPIES ? "copied" : "written"} ${size(one.weight)}` +
						(many ? `, ${region.process.name}` : "")), canvas));
			row.region = canvas.region = region;
			this.seen.observe(canvas);
			return row;
		}));
		const left = this.regions.length - this.shown;
		this.more.hidden = left <= 0;
		this.more.textContent = `${left} more mappings`;
	}

	drawLegend() {
		if (view.by === "time") {
			const steps = d3.range(0, 1.01, 0.25);
			this.legend.replaceChildren(...steps.map(step => {
				const swatch = make("i", {class: "swatch"});
				swatch.style.background = d3.interpolateCividis(step);
				return make("span", {}, swatch, `+${duration(Math.round(step * chosen.recording.duration))}`);
			}));
			return;
		}
		const entries = view.by === "state" ? Object.values(STATES) :
			KINDS.filter((_, i) => i < 6 && chosen.kinds >> i & 1);
		this.legend.replaceChildren(...entries.map(entry =>
			make("span", {title: entry.means}, make("i", {class: `swatch ${entry.name}`}),
				view.by === "state" ? entry.means : entry.name)),
		make("span", {}, make("i", {class: "swatch untouched"}), "untouched"));
	}
}

function startMap() {
	return new MapSection(document.getElementById("map"));
}
