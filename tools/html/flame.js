/* The flame graph: stacks merged from their outermost calls on, drawn downwards, with zoom and search. */

const ROW = 20, LEAST = 1; /* pixels: height of a row, and the least width that is drawn */
const LETTER = 7.2; /* width of most letters: names are cut to what fits */

/* ---- the tree ---- */

function makeNode(name, module, code) {
	return {name, module, code, self: 0, children: [], index: new Map()};
}

function childOf(node, key, name, module, code) {
	let child = node.index.get(key);
	if (!child) {
		child = makeNode(name, module, code);
		node.index.set(key, child);
		node.children.push(child);
	}
	return child;
}

function addStacks(root, stacks, weights, upwards) {
	stacks.forEach((stack, i) => {
		if (!weights[i])
			return;
		let node = root;
		for (let j = 0; j < stack.length; j++) {
			const level = stack[upwards ? j : stack.length - 1 - j];
			node = childOf(node, level.code.key, level.code.name, level.code.module, level);
		}
		node.self += weights[i];
	});
}

function makeTree(recording, upwards, apart) {
	const all = totals(recording), root = makeNode("all", "");
	for (const [process, weights] of all.byProcess) {
		if (!weights.some(weight => weight))
			continue;
		const top = apart ? childOf(root, `process ${process.pid} ${process.start}`, process.name, "") : root;
		addStacks(top, recording.stacks, weights, upwards);
	}
	const tree = d3.hierarchy(root).sum(node => node.self).sort((a, b) => b.value - a.value);
	return d3.partition()(tree);
}

/* ---- drawing ---- */

class Flame {
	constructor(section, recordings) {
		this.recordings = recordings;
		this.upwards = false;
		const order = select("Order", [["", "callers first"], ["writers", "writers first"]], value => {
			this.upwards = value === "writers";
			this.count();
		});
		const reset = make("button", {type: "button", onclick: () => this.zoom(this.tree)}, "whole");
		if (recordings.length > 1)
			section.append(make("p", {class: "legend"}, ...[["grown", 0.9], ["the same", 0.5], ["less", 0.1]].map(([text, at]) => {
				const swatch = make("i", {class: "swatch"});
				swatch.style.background = d3.interpolatePuOr(at);
				return make("span", {}, swatch, text);
			})));
		this.status = make("p", {class: "status", "aria-live": "polite"});
		this.svg = d3.select(section).append("div").attr("class", "tools")
			.each(function () { this.append(order.label, reset); })
			.select(function () { return this.parentElement; })
			.append("svg").attr("class", "flame").attr("tabindex", 0).attr("role", "img")
			.attr("aria-label", "Flame graph. Arrow keys move, Enter zooms, Escape shows the whole.");
		section.append(this.status);
		this.svg.node().addEventListener("keydown", event => this.key(event));
		this.svg.node().addEventListener("pointerleave", hideTip);
		whenResized(section, () => this.tree && this.draw(false));
		whenChosen(changed => changed.every(name => name === "search") ? this.draw(false) : this.count());
		whenSeen(section, () => {
			this.seen = true;
			this.count();
		});
		DARK.addEventListener("change", () => this.tree && this.draw(false));
	}

	count() {
		if (!this.seen)
			return;
		const other = this.recordings.find(one => one !== chosen.recording);
		const apart = !other && chosenProcesses().length > 1;
		this.tree = makeTree(chosen.recording, this.upwards, apart);
		this.other = other && chosen.process < 0 ? makeTree(other, this.upwards, false) : null;
		if (this.other)
			this.pair(this.tree, this.other);
		this.modules = new Map();
		this.tree.each(node => {
			if (node.data.module && !this.modules.has(node.data.module))
				this.modules.set(node.data.module, this.modules.size % 7);
		});
		this.cursor = this.focus = this.tree;
		this.draw(false);
	}

	/* The value that each node has in the other recording. */
	pair(node, other) {
		node.paired = other ? other.value : 0;
		const others = new Map(other && other.children ? other.children.map(child => [this.keyOf(child), child]) : []);
		for (const child of node.children || [])
			this.pair(child, others.get(this.keyOf(child)));
	}

	keyOf(node) {
		return `${node.data.name}\0${node.data.module}`;
	}

	visible() {
		const width = this.svg.node().clientWidth, scale = width / (this.focus.x1 - this.focus.x0);
		const nodes = [];
		const visit = node => {
			if (node.x1 <= this.focus.x0 || node.x0 >= this.focus.x1)
				return;
			if ((node.x1 - node.x0) * scale < LEAST && node !== this.focus)
				return;
			nodes.push(node);
			(node.children || []).forEach(visit);
		};
		if (this.tree.value)
			visit(this.tree);
		return nodes;
	}

	title(node) {
		const line = node.data.code && node.data.code.place;
		return [node.data.module && node.data.code && node.data.code.code.named ? `${node.data.name} (${node.data.module})` : node.data.name,
			`${size(node.value)}, ${percent(node.value, this.tree.value)} of all` +
			(this.focus !== this.tree ? `, ${percent(node.value, this.focus.value)} of ${this.focus.data.name}` : ""),
			this.other ? `${chosen.recording.number ? "before" : "after"}: ${size(node.paired)}` : "", line || ""];
	}

	fill(node) {
		if (!this.other)
			return null;
		const before = chosen.recording.number ? node.paired : node.value;
		const after = chosen.recording.number ? node.value : node.paired;
		return d3.interpolatePuOr(0.5 + 0.4 * (after - before) / (Math.max(before, after) || 1));
	}

	/* Neighbours of one library differ a little. */
	shade(node) {
		let sum = 7;
		for (const letter of node.data.name)
			sum = (sum * 31 + letter.codePointAt(0)) % 997;
		return this.other ? 1 : 0.62 + 0.38 * sum / 997;
	}

	draw(moving) {
		const element = this.svg.node(), width = element.clientWidth;
		if (!this.tree || !width)
			return;
		const nodes = this.visible(), x = d3.scaleLinear([this.focus.x0, this.focus.x1], [0, width]).clamp(true);
		const time = moving && !STILL.matches ? 250 : 0;
		this.svg.attr("height", (d3.max(nodes, node => node.depth) + 1 || 1) * ROW)
			.classed("searching", !!chosen.search).classed("compared", !!this.other);
		const groups = this.svg.selectAll("g").data(nodes, node => this.path(node))
			.join(enter => {
				const group = enter.append("g");
				group.append("rect").attr("height", ROW - 1).attr("rx", 2);
				group.append("text").attr("y", 14).attr("x", 4);
				return group;
			});
		const nodeClass = node => [node.data.module ? `module${this.modules.get(node.data.module)}` : "process",
			node.depth < this.focus.depth ? "above" : "", matches(node.data.name + " " + node.data.module) ? "found" : "",
			node === this.cursor ? "cursor" : ""].join(" ");
		groups.attr("class", nodeClass)
			.on("click", node => this.zoom(node))
			.on("pointermove", node => showTip(d3.event, this.title(node)));
		const placed = time ? groups.transition().duration(time) : groups;
		placed.attr("transform", node => `translate(${x(node.x0)},${node.depth * ROW})`);
		placed.select("rect").attr("width", node => Math.max(LEAST, x(node.x1) - x(node.x0) - 0.5))
			.attr("fill", node => this.fill(node)).attr("fill-opacity", node => this.shade(node));
		groups.select("text").text(node => {
			const letters = Math.floor((x(node.x1) - x(node.x0) - 8) / LETTER);
			const name = node.data.name;
			return letters < 3 ? "" : name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
		});
		this.say();
	}

	path(node) {
		if (!node.number)
			node.number = Flame.numbers = (Flame.numbers || 0) + 1;
		return node.number;
	}

	say() {
		const found = chosen.search ? this.tree.value && d3.sum(this.found(this.tree)) : 0;
		this.status.textContent = !this.tree.value ? "Nothing of this kind." :
			(chosen.search ? `${percent(found, this.tree.value)} (${size(found)}) by what is searched for. ` : "") +
			this.title(this.cursor).filter(line => line).join("; ");
	}

	/* Values of the outermost nodes that match: none is counted twice. */
	found(node) {
		if (matches(node.data.name + " " + node.data.module))
			return [node.value];
		return (node.children || []).flatMap(child => this.found(child));
	}

	zoom(node) {
		this.focus = this.cursor = node;
		hideTip();
		this.draw(true);
	}

	key(event) {
		const node = this.cursor, siblings = node.parent ? node.parent.children : [node];
		const beside = step => siblings[siblings.indexOf(node) + step] || node;
		const goals = {ArrowUp: () => node.parent || node, ArrowDown: () => (node.children || [node])[0],
			ArrowLeft: () => beside(-1), ArrowRight: () => beside(1)};
		if (goals[event.key]) {
			this.cursor = goals[event.key]();
			if (this.cursor.x1 <= this.focus.x0 || this.cursor.x0 >= this.focus.x1)
				this.focus = this.tree;
			this.draw(false);
		} else if (event.key === "Enter") {
			this.zoom(node);
		} else if (event.key === "Escape" || event.key === "0") {
			this.zoom(this.tree);
		} else {
			return;
		}
		event.preventDefault();
	}
}

function startFlame(recordings) {
	return new Flame(document.getElementById("flame"), recordings);
}
