/* The tree of processes: each can be chosen to be the only one that is counted. */

function startProcesses() {
	for (const part of document.querySelectorAll("#processes [data-recording]")) {
		const table = part.querySelector("table.processes");
		[...table.tBodies[0].rows].forEach((row, i) => {
			const button = make("button", {type: "button", class: "process", "aria-pressed": "false",
				title: "Count only this process", onclick: () =>
					choose({process: chosen.process === i ? -1 : i})}, row.cells[0].textContent);
			row.cells[0].replaceChildren(button);
			row.dataset.process = i;
			whenChosen(() => {
				const is = chosen.process === i && chosen.recording.number === Number(part.dataset.recording);
				row.classList.toggle("chosen", is);
				button.setAttribute("aria-pressed", is);
			});
		});
	}
}
