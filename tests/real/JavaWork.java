import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/* What the virtual machine does with signals and protections: null checks, stack overflow, safepoints. */
public class JavaWork {
	static class Item {
		int value;
		Item next;
		int[] data = new int[16];
	}

	static int both(Item item) {
		return item.value + item.next.value;
	}

	static int recurse(int depth) {
		return recurse(depth + 1) + 1;
	}

	static String child() throws Exception {
		Process process = new ProcessBuilder("sh", "-c", "echo child").start();
		String line = new String(process.getInputStream().readAllBytes()).trim();
		return line + " " + process.waitFor();
	}

	public static void main(String[] arguments) throws Exception {
		int caught = 0;
		long sum = 0;
		Item item = new Item();
		item.next = new Item();
		for (int i = 0; i < 2000000; i++) {
			Item one = i % 1000 == 0 ? null : item;
			try {
				sum += both(one);
			} catch (NullPointerException exception) {
				caught++;
			}
		}
		List<Object> kept = Collections.synchronizedList(new ArrayList<>());
		Thread[] threads = new Thread[8];
		for (int t = 0; t < threads.length; t++) {
			threads[t] = new Thread(() -> {
				for (int i = 0; i < 200000; i++) {
					Item made = new Item();
					if (i % 1000 == 0)
						kept.add(made);
				}
			});
			threads[t].start();
		}
		for (Thread thread : threads)
			thread.join();
		System.gc();
		try {
			recurse(0);
		} catch (StackOverflowError error) {
			System.out.println("overflow");
		}
		System.out.println(child() + " " + caught + " " + sum + " " + kept.size());
	}
}
