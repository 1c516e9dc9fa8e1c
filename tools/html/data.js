"use strict";
/*
 * The recordings that the page carries. Names come as JSON; what is many comes as columns of
 * variable-length numbers, deflated, in base64, in the order of tools/html_data.c.
 */

async function inflate(base64) {
	const packed = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
	const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
	return new Uint8Array(await new Response(stream).arrayBuffer());
}

class Columns {
	constructor(bytes) {
		this.bytes = bytes;
		this.at = 0;
	}

	number() {
		let byte = this.bytes[this.at++];
		if (byte < 128)
			return byte;
		let value = byte & 127, unit = 128;
		do {
			byte = this.bytes[this.at++];
			value += (byte & 127) * unit;
			unit *= 128;
		} while (byte > 127);
		return value;
	}

	signed() {
		const number = this.number();
		return number % 2 ? -(number + 1) / 2 : number / 2;
	}

	/* A column: each number is what `next` makes of the one before. */
	fill(array, next) {
		for (let i = 0, last = 0; i < array.length; i++)
			array[i] = last = next(last, i);
		return array;
	}
}

/* ---- code ---- */

function readFrames(columns, strings) {
	const frames = [], functions = new Map();
	for (let i = columns.number(); i > 0; i--) {
		const module = strings[columns.number()], address = columns.number();
		const levels = [];
		for (let j = columns.number(); j > 0; j--) {
			const named = strings[columns.number()], file = strings[columns.number()];
			const line = columns.number();
			const name = named || (frames.length ? `${module}+0x${address.toString(16)}` : "[no stack]");
			const key = `${name}\0${module}`;
			if (!functions.has(key))
				functions.set(key, {key, name, module, named: !!named});
			levels.push({code: functions.get(key), place: file ? `${file}:${line}` : ""});
		}
		frames.push(levels);
	}
	return frames;
}

/* Levels of each stack, innermost first. */
function readStacks(columns, frames) {
	const stacks = [];
	for (let i = columns.number(); i > 0; i--) {
		const stack = [];
		for (let j = columns.number(); j > 0; j--)
			stack.push(...frames[columns.number()]);
		stacks.push(stack.length ? stack : frames[0]);
	}
	return stacks;
}

/* ---- pages ---- */

function readRegions(columns, strings, process) {
	const regions = [];
	for (let i = columns.number(), page = 0; i > 0; i--) {
		const name = strings[columns.number()];
		page += columns.number();
		const region = {process, name: name || "[anonymous]", page, pages: columns.number()};
		const flags = columns.number();
		region.gone = flags % 2 === 1;
		region.untracked = (flags >> 1 & 8) !== 0;
		region.limit = columns.number();
		region.copied = columns.number();
		region.attributed = columns.number();
		region.resident = columns.number();
		region.index = regions.length;
		regions.push(region);
	}
	return regions;
}

/* First writes. Those of a region: [from, earlier) are the latest of their pages, then the others. */
function readRuns(columns, regions) {
	const count = columns.number();
	const runs = {count, region: new Uint32Array(count), start: new Float64Array(count),
		pages: new Float64Array(count), how: new Uint8Array(count), stack: new Uint32Array(count),
		epoch: new Uint32Array(count), time: new Float64Array(count)};
	columns.fill(runs.region, last => last + columns.number());
	const delta = new Float64Array(count);
	columns.fill(delta, () => columns.signed());
	columns.fill(runs.pages, () => columns.number());
	for (let i = 0; i < count; i++)
		runs.start[i] = delta[i] + (i && runs.region[i] === runs.region[i - 1] ?
			runs.start[i - 1] + runs.pages[i - 1] : 0);
	columns.fill(runs.how, () => columns.number());
	columns.fill(runs.stack, last => last + columns.signed());
	columns.fill(runs.epoch, last => last + columns.signed());
	columns.fill(runs.time, last => last + columns.signed());
	for (const region of regions)
		region.from = region.earlier = region.to = 0;
	for (let i = 0; i < count; i++) {
		const region = regions[runs.region[i]];
		if (!region.to)
			region.from = region.earlier = i;
		region.to = i + 1;
		if (runs.how[i] & 64)
			region.earlier = i + 1;
	}
	return runs;
}

/* What the kernel said at the last snapshot; of a region: [statesFrom, statesTo). */
function readStates(columns, regions) {
	const count = columns.number();
	const states = {count, start: new Float64Array(count), pages: new Float64Array(count),
		letter: new Uint8Array(count)};
	for (const region of regions)
		region.statesFrom = region.statesTo = 0;
	for (let i = 0; i < count; i++) {
		const region = regions[columns.number()];
		if (!region.statesTo)
			region.statesFrom = i;
		region.statesTo = i + 1;
		states.start[i] = columns.number();
		states.pages[i] = columns.number();
		states.letter[i] = columns.number();
	}
	return states;
}

/* ---- time ---- */

const LANE_SLICES = 128;

function readLanes(columns, process) {
	const lanes = [];
	for (let i = columns.number(); i > 0; i--) {
		const lane = {process, epoch: columns.number(), start: columns.number(),
			length: columns.number(), slices: []};
		for (let j = columns.number(), slice = 0; j > 0; j--) {
			slice += columns.number();
			lane.slices.push({slice, copied: columns.number(), others: columns.number()});
		}
		lanes.push(lane);
	}
	return lanes;
}

async function readRecording(number) {
	const recording = JSON.parse(document.getElementById(`names${number}`).textContent);
	const element = document.getElementById(`columns${number}`);
	const columns = new Columns(await inflate(element.textContent));
	element.remove();
	const frames = readFrames(columns, recording.strings);
	recording.stacks = readStacks(columns, frames);
	for (const process of recording.processes) {
		process.recording = recording;
		process.regions = readRegions(columns, recording.strings, process);
		process.runs = readRuns(columns, process.regions);
		process.states = readStates(columns, process.regions);
		process.lanes = readLanes(columns, process);
	}
	recording.number = number;
	return recording;
}
