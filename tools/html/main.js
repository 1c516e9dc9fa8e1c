/* Everything together: read the data, then let each part draw what is chosen. */

function makeControls(form, recordings) {
	const processes = select("Process", [], value => choose({process: Number(value)}));
	const kinds = select("Count", [[COPIES, "what was copied"], [127, "all first writes"],
		...KINDS.slice(1, 6).map((kind, i) => [1 << (i + 1), `only ${kind.name}: ${kind.means}`])],
	value => choose({kinds: Number(value)}));
	const sides = select("Side of the fork", [["", "both"], ["parent", "the parent's"], ["child", "the child's"]],
		value => choose({side: value}));
	const search = make("input", {type: "search", placeholder: "function, library, mapping", oninput: () =>
		choose({search: search.value.trim().toLowerCase()})});
	if (recordings.length > 1) {
		const which = select("Recording", [[1, "after"], [0, "before"]], value =>
			choose({recording: recordings[Number(value)], process: -1}));
		form.append(which.label);
	}
	form.append(processes.label, kinds.label, sides.label, make("label", {}, make("span", {}, "Search"), search));
	form.addEventListener("submit", event => event.preventDefault());
	whenChosen(changed => {
		if (changed.includes("recording"))
			processes.input.replaceChildren(make("option", {value: -1}, "all"), ...chosen.recording.processes.map((process, i) =>
				make("option", {value: i}, "  ".repeat(process.level) + process.name)));
		processes.input.value = chosen.process;
		kinds.input.value = chosen.kinds;
	});
	addEventListener("keydown", event => {
		if (event.key === "/" && !/^(INPUT|SELECT)$/.test(event.target.tagName)) {
			event.preventDefault();
			search.focus();
		}
	});
}

/* Only what belongs to the recording that is looked at. */
function showRecording() {
	for (const part of document.querySelectorAll("[data-recording]"))
		part.hidden = Number(part.dataset.recording) !== chosen.recording.number;
}

async function start() {
	const count = document.querySelectorAll("script[type='application/json']").length;
	const recordings = [];
	for (let i = 0; i < count; i++)
		recordings.push(await readRecording(i));
	for (const element of document.querySelectorAll(".scripted"))
		element.hidden = false;
	makeControls(document.getElementById("controls"), recordings);
	whenChosen(showRecording);
	startTables();
	startProcesses();
	startMap();
	startFlame(recordings);
	startTime();
	const first = recordings[count - 1];
	const copies = first.processes.some(process => process.runs.how.some(how => COPIES >> (how & 7) & 1));
	choose({recording: first, process: -1, kinds: copies ? COPIES : 127});
	document.documentElement.dataset.ready = "yes";
}

start().catch(error => {
	const problem = document.getElementById("problem");
	problem.textContent = `This page could not be drawn (${error.message}). The tables below are complete in themselves; ` +
		"a browser of 2023 or later draws the rest.";
	problem.hidden = false;
	console.error(error);
});
