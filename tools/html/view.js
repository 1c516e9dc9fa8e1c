/* What the parts of the page share: elements, formats, colours, and what is chosen to be counted. */

const KINDS = [
	{name: "unknown", means: "the kernel could not be asked"},
	{name: "file", means: "copied from a file's page cache"},
	{name: "zero", means: "read before, copied from the zero page"},
	{name: "fill", means: "first touch: a new page, no copy"},
	{name: "fork", means: "copied, since a fork had shared it"},
	{name: "reuse", means: "written in place after a fork, no copy"},
	{name: "other", means: "of a newer version of the library"},
];
const COPIES = 1 << 1 | 1 << 2 | 1 << 4;
const CAUSES = ["an instruction", "a system call", "mlock", "populating", "an unknown cause"];
const STATES = {
	C: {name: "copied", means: "copied, mapped only here"},
	H: {name: "huge", means: "copied, huge page"},
	S: {name: "swapped", means: "copied, swapped out"},
	s: {name: "shared", means: "still shared since a fork"},
	i: {name: "inherited", means: "inherited from before the fork"},
	r: {name: "reused", means: "written in place"},
	z: {name: "zeros", means: "zero page"},
	f: {name: "clean", means: "clean file page"},
	"?": {name: "nostate", means: "no state known"},
};
const LIMITS = ["", "the kernel refused to split its mappings further", "a stack lies there",
	"pages of hugetlbfs", "the kernel may write there at any time", "seccomp",
	"nothing shows the system calls that write there", "excluded by option or by the program",
	"of libc, the loader, libunwind and cowspy", "mapped before cowspy started, or by libc itself",
	"the kernel's word was all that was wanted (COWSPY_MODE)",
	"traced by the parent, which would see cowspy's signals"];

/* Nothing is ever made from text that is HTML: names stay names. */
function make(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (name.startsWith("on"))
			element.addEventListener(name.slice(2), value);
		else if (value === true)
			element.setAttribute(name, "");
		else if (value !== false && value !== undefined && value !== null)
			element.setAttribute(name, value);
	}
	element.append(...children.filter(child => child !== null && child !== undefined));
	return element;
}

function select(title, options, change) {
	const input = make("select", {onchange: () => change(input.value)},
		...options.map(([value, text]) => make("option", {value}, text)));
	return {label: make("label", {}, make("span", {}, title), input), input};
}

/* ---- formats, as the other verbs print them ---- */

function size(bytes) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
	let unit = 0;
	while (unit < 5 && bytes >= 1023.95) {
		bytes /= 1024;
		unit++;
	}
	return unit ? `${bytes.toFixed(1)} ${units[unit]}` : `${bytes} B`;
}

function duration(microseconds) {
	if (microseconds < 1000)
		return `${microseconds} µs`;
	if (microseconds < 1e6)
		return `${(microseconds / 1000).toFixed(1)} ms`;
	return `${(microseconds / 1e6).toFixed(3)} s`;
}

/* Never rounded up to all, nor down to nothing. */
function percent(part, whole) {
	if (!whole)
		return "-";
	const tenths = Math.round(part / whole * 1000);
	const shown = part && part < whole ? Math.min(999, Math.max(1, tenths)) : tenths;
	return `${(shown / 10).toFixed(1)} %`;
}

function pageCount(pages) {
	return pages === 1 ? "1 page" : `${pages} pages`;
}

function address(region, page) {
	return "0x" + (BigInt(region.page + page) * BigInt(region.process.pageSize)).toString(16);
}

function functionTitle(code) {
	return code.named ? `${code.name} (${code.module})` : code.name;
}

/* ---- colours: the style sheet's, so that they follow light and dark ---- */

const colourCache = new Map();

function colour(name) {
	if (!colourCache.has(name))
		colourCache.set(name, getComputedStyle(document.documentElement)
			.getPropertyValue(`--${name}`).trim());
	return colourCache.get(name);
}

/* ---- what is counted ---- */

const chosen = {recording: null, process: -1, kinds: COPIES, side: "", search: ""};
const listeners = [];

function whenChosen(listener) {
	listeners.push(listener);
}

function choose(change) {
	Object.assign(chosen, change);
	totalsCache = null;
	for (const listener of listeners)
		listener(Object.keys(change));
}

function chosenProcesses() {
	const processes = chosen.recording.processes;
	return chosen.process < 0 ? processes : [processes[chosen.process]];
}

function onSide(process, epoch) {
	if (!chosen.side)
		return true;
	const side = epoch > process.epoch ? "parent" : process.forked ? "child" : "none";
	return side === chosen.side;
}

let totalsCache = null;

/* Bytes of what is chosen by stack, process and region; `weight` counts only the chosen kinds. */
function totals(recording = chosen.recording) {
	if (totalsCache && totalsCache.recording === recording)
		return totalsCache;
	const count = recording.stacks.length;
	const all = {recording, copied: new Float64Array(count), weight: new Float64Array(count),
		regions: new Map(), byProcess: new Map(), sum: 0, sumCopied: 0};
	for (const process of recording === chosen.recording ? chosenProcesses() : recording.processes)
		addTotals(all, process);
	if (recording === chosen.recording)
		totalsCache = all;
	return all;
}

function addTotals(all, process) {
	const runs = process.runs, stacks = new Float64Array(all.weight.length);
	const regions = process.regions.map(() => ({copied: 0, weight: 0}));
	for (let i = 0; i < runs.count; i++) {
		const kind = runs.how[i] & 7;
		if (!(chosen.kinds >> kind & 1) || !onSide(process, runs.epoch[i]))
			continue;
		const bytes = runs.pages[i] * process.pageSize;
		const stack = runs.stack[i], region = regions[runs.region[i]];
		stacks[stack] += bytes;
		all.weight[stack] += bytes;
		region.weight += bytes;
		all.sum += bytes;
		if (COPIES >> kind & 1) {
			all.copied[stack] += bytes;
			region.copied += bytes;
			all.sumCopied += bytes;
		}
	}
	process.regions.forEach((region, i) => all.regions.set(region, regions[i]));
	all.byProcess.set(process, stacks);
}

/* ---- what is under the pointer ---- */

function showTip(event, lines) {
	const tip = document.getElementById("tip");
	tip.replaceChildren(...lines.filter(line => line).map((line, i) => make(i ? "div" : "strong", {}, line)));
	tip.hidden = false;
	const box = tip.getBoundingClientRect();
	const left = Math.min(event.clientX + 14, innerWidth - box.width - 8);
	const below = event.clientY + 18;
	const top = below + box.height > innerHeight ? event.clientY - box.height - 12 : below;
	tip.style.left = `${Math.max(4, left)}px`;
	tip.style.top = `${Math.max(4, top)}px`;
}

function hideTip() {
	document.getElementById("tip").hidden = true;
}

function matches(text) {
	return chosen.search && text.toLowerCase().includes(chosen.search);
}

/* Call `draw` when the element is first seen and whenever its width changes. */
function whenResized(element, draw) {
	let width = 0;
	new ResizeObserver(() => {
		if (element.clientWidth && element.clientWidth !== width) {
			width = element.clientWidth;
			draw();
		}
	}).observe(element);
}

/* Call `act` once the element is near the window: what is far below costs nothing before. */
function whenSeen(element, act) {
	const observer = new IntersectionObserver(entries => {
		if (!entries.some(entry => entry.isIntersecting))
			return;
		observer.disconnect();
		act();
	}, {rootMargin: "400px"});
	observer.observe(element);
}

const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const DARK = matchMedia("(prefers-color-scheme: dark)");
