/* Tables: those of first writes are made anew from what is chosen, all can be sorted. */

const ROWS = 15;

function sortButton(heading, sort) {
	const button = make("button", {type: "button", onclick: () => {
		const descending = heading.getAttribute("aria-sort") !== "descending";
		for (const other of heading.parentElement.children)
			other.removeAttribute("aria-sort");
		heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
		sort(descending);
	}}, ...heading.childNodes);
	heading.replaceChildren(button);
}

/* ---- tables as they are in the page ---- */

function cellValue(row, column) {
	const cell = row.children[column];
	return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
}

function compareValues(a, b) {
	return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}

/* Of a long table the first rows. */
function shorten(table, more, shown) {
	const rows = [...table.tBodies[0].rows];
	rows.forEach((row, i) => row.hidden = i >= shown);
	more.hidden = rows.length <= shown;
	more.textContent = `${rows.length - shown} more`;
}

function sortRows(table, column, descending) {
	const body = table.tBodies[0], rows = [...body.rows];
	rows.sort((a, b) => compareValues(cellValue(a, column), cellValue(b, column)) * (descending ? -1 : 1));
	body.append(...rows);
}

function sortableTable(table) {
	const shown = table.classList.contains("growth") ? ROWS : ROWS * 2;
	const more = make("button", {type: "button", class: "more", onclick: () => shorten(table, more, Infinity)});
	table.parentElement.after(more);
	shorten(table, more, shown);
	[...table.tHead.rows[0].cells].forEach((heading, column) => {
		if (heading.textContent)
			sortButton(heading, descending => {
				const all = more.hidden;
				sortRows(table, column, descending);
				shorten(table, more, all ? Infinity : shown);
			});
	});
}

/* ---- stacks, functions, mappings ---- */

function groupRows(by) {
	const all = totals(), groups = new Map();
	const add = (key, copied, weight, what) => {
		if (!weight)
			return;
		if (!groups.has(key))
			groups.set(key, {copied: 0, weight: 0, what});
		groups.get(key).copied += copied;
		groups.get(key).weight += weight;
	};
	if (by === "mapping") {
		for (const [region, sum] of all.regions)
			add(region.name === "[anonymous]" ? region : region.name, sum.copied, sum.weight, region);
	} else {
		chosen.recording.stacks.forEach((stack, i) =>
			add(by === "stack" ? i : stack[0].code, all.copied[i], all.weight[i], stack));
	}
	return [...groups.values()];
}

function rowName(by, what) {
	if (by === "mapping")
		return what.name === "[anonymous]" ? `[anonymous] ${address(what, 0)}, ` +
			size(what.pages * what.process.pageSize) : what.name;
	return functionTitle(what[0].code);
}

function stackList(stack) {
	return make("ol", {}, ...stack.map(level => make("li", {}, functionTitle(level.code),
		level.place ? make("small", {}, " " + level.place) : null)));
}

function numberCell(text) {
	return make("td", {class: "number"}, text);
}

function rowOf(by, row, sum) {
	const name = rowName(by, row.what);
	return make("tr", {}, numberCell(size(row.copied)), numberCell(size(row.weight)),
		numberCell(percent(row.weight, sum)),
		make("th", {scope: "row"}, by !== "stack" ? name :
			make("details", {}, make("summary", {}, name), stackList(row.what))));
}

class GroupTable {
	constructor(table) {
		this.table = table;
		this.by = table.dataset.by;
		this.recording = Number(table.closest("[data-recording]").dataset.recording);
		this.order = {column: 1, descending: true};
		const box = table.parentElement;
		if (box.nextElementSibling && box.nextElementSibling.className === "more")
			box.nextElementSibling.remove();
		this.more = make("button", {type: "button", class: "more", onclick: () => {
			this.shown += ROWS * 4;
			this.draw();
		}});
		box.after(this.more);
		[...table.tHead.rows[0].cells].forEach((heading, column) =>
			sortButton(heading, descending => {
				this.order = {column, descending};
				this.draw();
			}));
		whenChosen(() => this.count());
	}

	count() {
		if (chosen.recording.number !== this.recording)
			return;
		this.shown = ROWS;
		this.rows = groupRows(this.by);
		for (const row of this.rows)
			row.name = rowName(this.by, row.what);
		this.draw();
	}

	wanted() {
		const value = [row => row.copied, row => row.weight, row => row.weight, row => row.name][this.order.column];
		const rows = chosen.search ? this.rows.filter(row => matches(row.name) ||
			(this.by === "stack" && row.what.some(level => matches(functionTitle(level.code))))) : this.rows;
		return rows.sort((a, b) => compareValues(value(a), value(b)) * (this.order.descending ? -1 : 1));
	}

	draw() {
		const rows = this.wanted(), left = rows.length - this.shown;
		this.table.tBodies[0].replaceChildren(
			...rows.slice(0, this.shown).map(row => rowOf(this.by, row, totals().sum)));
		if (!rows.length)
			this.table.tBodies[0].append(make("tr", {}, make("td", {colspan: 4}, "Nothing of this kind.")));
		this.more.hidden = left <= 0;
		this.more.textContent = `${left} more`;
	}
}

function startTables() {
	for (const table of document.querySelectorAll("main table")) {
		if (table.dataset.by)
			new GroupTable(table);
		else
			sortableTable(table);
	}
}
