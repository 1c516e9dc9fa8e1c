/* First writes over time: for each process between two forks, how they add up. */

const LANES_SHOWN = 12, LANE = 56;

function lanePoints(lane) {
	const points = [{time: 0, copied: 0, all: 0}], pageSize = lane.process.pageSize;
	let copied = 0, all = 0;
	for (const slice of lane.slices) {
		const from = slice.slice / LANE_SLICES * lane.length;
		points.push({time: from, copied, all});
		copied += slice.copied * pageSize;
		all += (slice.copied + slice.others) * pageSize;
		points.push({time: (slice.slice + 1) / LANE_SLICES * lane.length, copied, all});
	}
	points.push({time: lane.length, copied, all});
	return points;
}

function laneTitle(lane) {
	const process = lane.process;
	if (lane.epoch === process.epoch)
		return process.forked ? `${process.name}, since its fork` : `${process.name}, from its start`;
	const fork = process.forks.find(one => one[2] === lane.epoch);
	return `${process.name}, after forking ${fork ? fork[1] : ""}`;
}

class TimeLine {
	constructor(section) {
		this.section = section;
		this.aligned = true;
		this.shown = LANES_SHOWN;
		const mode = select("Time", [["fork", "since each fork"], ["start", "since the beginning"]], value => {
			this.aligned = value === "fork";
			this.draw();
		});
		this.box = make("div", {class: "lanes"});
		this.more = make("button", {type: "button", class: "more", onclick: () => {
			this.shown += LANES_SHOWN * 4;
			this.draw();
		}});
		const legend = make("p", {class: "legend"}, make("span", {}, make("i", {class: "swatch fork"}), "copied"),
			make("span", {}, make("i", {class: "swatch others"}), "other first writes"),
			make("span", {}, make("i", {class: "swatch label"}), "label"));
		section.append(make("div", {class: "tools"}, mode.label), legend, this.box, this.more);
		whenResized(this.box, () => this.lanes && this.draw());
		whenChosen(changed => changed.every(name => name === "search") || this.count());
		DARK.addEventListener("change", () => this.lanes && this.draw());
	}

	count() {
		this.lanes = chosenProcesses().flatMap(process => process.lanes.filter(lane => onSide(process, lane.epoch)));
		for (const lane of this.lanes) {
			lane.points = lane.points || lanePoints(lane);
			lane.last = lane.points[lane.points.length - 1];
		}
		this.draw();
	}

	draw() {
		const most = [...this.lanes].sort((a, b) => b.last.all - a.last.all).slice(0, this.shown);
		const lanes = most.sort((a, b) => a.start - b.start);
		const begin = lane => this.aligned ? 0 : lane.start;
		const narrow = this.box.clientWidth < 640, side = narrow ? 8 : 290;
		const width = this.box.clientWidth;
		if (!width)
			return;
		this.x = d3.scaleLinear([0, d3.max(lanes, lane => begin(lane) + lane.length) || 1], [side, width - 70]);
		this.y = d3.scaleLinear([0, d3.max(lanes, lane => lane.last.all) || 1], [LANE - 6, narrow ? 20 : 6]);
		this.box.replaceChildren(this.axis(width), ...lanes.map(lane => this.drawLane(lane, begin(lane), narrow, width)));
		const left = this.lanes.length - lanes.length;
		this.more.hidden = left <= 0;
		this.more.textContent = `${left} more`;
	}

	axis(width) {
		const svg = d3.create("svg").attr("height", 22).attr("width", width).attr("aria-hidden", "true");
		svg.append("g").attr("class", "axis").attr("transform", "translate(0,20)")
			.call(d3.axisTop(this.x).ticks(Math.max(2, Math.floor((this.x.range()[1] - this.x.range()[0]) / 120))).tickFormat(time => `+${duration(Math.round(time))}`).tickSizeOuter(0));
		return svg.node();
	}

	drawLane(lane, begin, narrow, width) {
		const svg = d3.create("svg").attr("class", "lane").attr("height", LANE).attr("width", width).attr("tabindex", 0).attr("role", "img")
			.attr("aria-label", `${laneTitle(lane)}: copied ${size(lane.last.copied)}, first writes ${size(lane.last.all)} in ${duration(lane.length)}`);
		const area = value => d3.area().x(point => this.x(begin + point.time)).y0(this.y(0)).y1(point => this.y(value(point)))(lane.points);
		svg.append("line").attr("class", "base").attr("x1", this.x(begin)).attr("x2", width - 70).attr("y1", this.y(0)).attr("y2", this.y(0));
		svg.append("path").attr("class", "others").attr("d", area(point => point.all));
		svg.append("path").attr("class", "copied").attr("d", area(point => point.copied));
		svg.append("line").attr("class", "fork").attr("x1", this.x(begin)).attr("x2", this.x(begin)).attr("y1", 2).attr("y2", this.y(0));
		svg.append("text").attr("x", 4).attr("y", narrow ? 13 : 22).text(laneTitle(lane));
		const sums = `copied ${size(lane.last.copied)}, others ${size(lane.last.all - lane.last.copied)}`;
		if (!narrow)
			svg.append("text").attr("class", "sums").attr("x", 4).attr("y", 40).text(sums);
		svg.append("text").attr("class", "end").attr("x", this.x(begin + lane.length) + 5).attr("y", this.y(0) - 3)
			.text(size(lane.last.all));
		this.drawLabels(svg, lane, begin);
		const cross = svg.append("line").attr("class", "cross").attr("y2", LANE).attr("visibility", "hidden");
		svg.on("pointermove", () => this.point(lane, begin, cross)).on("pointerleave", () => {
			cross.attr("visibility", "hidden");
			hideTip();
		});
		return svg.node();
	}

	drawLabels(svg, lane, begin) {
		for (const [time, epoch, text] of lane.process.labels) {
			if (epoch !== lane.epoch)
				continue;
			const x = this.x(begin + Math.max(0, time - lane.start));
			const label = svg.append("g").attr("class", "label").attr("transform", `translate(${x},0)`);
			label.append("line").attr("y1", 4).attr("y2", LANE - 6);
			label.append("text").attr("x", 4).attr("y", 12).text(text.length > 30 ? `${text.slice(0, 29)}…` : text);
			label.append("title").text(`${text} at +${duration(time)}`);
		}
	}

	point(lane, begin, cross) {
		const [x] = d3.mouse(this.box), time = this.x.invert(x) - begin;
		if (time < 0 || time > lane.length) {
			cross.attr("visibility", "hidden");
			hideTip();
			return;
		}
		const at = lane.points[Math.max(0, d3.bisector(point => point.time).right(lane.points, time) - 1)];
		cross.attr("x1", x).attr("x2", x).attr("visibility", "visible");
		showTip(d3.event, [laneTitle(lane), `+${duration(Math.round(time))} after it began, +${duration(Math.round(lane.start + time))} in all`,
			`copied ${size(at.copied)}`, `other first writes ${size(at.all - at.copied)}`]);
	}
}

function startTime() {
	return new TimeLine(document.getElementById("time"));
}
