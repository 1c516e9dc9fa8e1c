// Worker threads, a child process, WebAssembly that faults out of bounds, a signal handler.
const { Worker, isMainThread } = require('worker_threads');
const { execSync } = require('child_process');

// (module (memory 1) (func (export "f") (result i32) (i32.load (i32.const -1))))
const code = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1,
	102, 0, 0, 10, 9, 1, 7, 0, 65, 127, 40, 2, 0, 11];

if (isMainThread) {
	const map = new Map();
	for (let i = 0; i < 300000; i++)
		map.set('key' + i, { i, pair: [i, i + 1] });
	let sum = 0;
	for (const value of map.values())
		sum += value.pair[1];
	console.log(sum, execSync('echo child').toString().trim());
	try {
		new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(code))).exports.f();
	} catch (error) {
		console.log(error.message);
	}
	process.on('SIGUSR2', () => {
		console.log('SIGUSR2');
		new Worker(__filename).on('exit', status => console.log('worker', status));
	});
	process.kill(process.pid, 'SIGUSR2');
	setTimeout(() => {}, 500);
} else {
	const all = [];
	for (let i = 0; i < 100000; i++)
		all.push({ i });
	console.log('in worker', all.length);
}
