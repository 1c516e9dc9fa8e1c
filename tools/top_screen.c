#include "top_screen.h"

#include <curses.h>
#include <errno.h>
#include <string.h>

#define TEXT_MOST (256 * 1024)

static const char keys[] = " q quit  space pause  a since start / last fork  "
			   "p processes  m mappings  s stacks  + - pace ";

struct screen {
	struct live *live;
	struct top_pace pace;
	bool paused, done;
};

/* The first line and each one behind an empty line is a heading. */
static void draw_text(const struct text *text, int rows)
{
	const char *line = text->data, *end = text->data + text->length;
	bool heading = true;

	for (int row = 0; row < rows && line < end; row++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline ? newline : end) - line);
		/* The line before may have been too long for the screen. */
		move(row, 0);
		attrset(A_NORMAL);
		clrtobot();
		attrset(!heading ? A_NORMAL : row ? A_REVERSE : A_BOLD);
		mvaddnstr(row, 0, line, (int)length);
		if (heading && row)
			for (int column = getcurx(stdscr); row == getcury(stdscr) && column < COLS;
			     column++)
				mvaddch(row, column, ' ');
		heading = !length;
		line += length + 1;
	}
}

static void draw(struct screen *screen)
{
	static char data[TEXT_MOST];
	int rows = LINES - 1;
	struct text text;

	text_start(&text, -1, data, sizeof(data));
	live_print(screen->live, &text, rows > 0 ? (unsigned)rows : 1);
	erase();
	draw_text(&text, rows);
	attrset(A_REVERSE);
	mvhline(LINES - 1, 0, ' ', COLS);
	mvaddnstr(LINES - 1, 0, keys, COLS - 1);
	if (screen->paused)
		mvaddnstr(LINES - 1, COLS > 9 ? COLS - 9 : 0, " paused ", 8);
	attrset(A_NORMAL);
	refresh();
}

/* Only this part, or all of them again. */
static void toggle(struct live *live, enum live_part part)
{
	unsigned all = (1u << LIVE_PARTS) - 1;
	live->shown = live->shown == 1u << part ? all : 1u << part;
}

static void press(struct screen *screen, int key)
{
	switch (key) {
	case 'q': screen->done = true; break;
	case ' ': screen->paused = !screen->paused; break;
	case 'p': toggle(screen->live, LIVE_PROCESSES); break;
	case 'm': toggle(screen->live, LIVE_MAPPINGS); break;
	case 's': toggle(screen->live, LIVE_STACKS); break;
	case 'a':
		screen->live->from_start = !screen->live->from_start;
		live_count(screen->live);
		break;
	case '+': screen->pace.seconds /= 2; break;
	case '-': screen->pace.seconds *= 2; break;
	default: break;
	}
	if (screen->pace.seconds < 0.1)
		screen->pace.seconds = 0.1;
}

/* Answer keys until it is time for the next look. */
static void wait_for_keys(struct screen *screen, int wait)
{
	int key;

	timeout(screen->paused ? -1 : wait);
	while (!screen->done && (key = getch()) != ERR) {
		press(screen, key);
		draw(screen);
		timeout(screen->paused ? -1 : wait);
	}
}

int top_screen(struct live *live, const struct top_pace *pace)
{
	struct screen screen = {.live = live, .pace = *pace};
	SCREEN *terminal = newterm(NULL, stdout, stdin);
	int error = 0, wait;

	if (!terminal)
		return -ENOTTY;
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	for (uint64_t looks = 1; !screen.done; looks++) {
		error = top_look(live, &screen.pace, &wait);
		if (error)
			break;
		draw(&screen);
		wait_for_keys(&screen, wait);
		if (looks == pace->count)
			break;
	}
	endwin();
	delscreen(terminal);
	return error;
}
