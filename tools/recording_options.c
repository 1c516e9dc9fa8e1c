#include "recording_options.h"

#include <stdio.h>

#include "cowspy.h"

void recording_options_start(struct recording_options *options, uint64_t frames)
{
	*options = (struct recording_options){.limit = 20, .frames = frames};
	selection_start(&options->selection);
}

int recording_option(struct recording_options *options, const char *verb, const char *help,
		     int option, char **argv)
{
	switch (option) {
	case 'l': return parse_number(verb, optarg, &options->limit);
	case RECORDING_FRAMES: return parse_number(verb, optarg, &options->frames);
	case RECORDING_NO_NAMES: options->without_names = true; return STATUS_OK;
	case 'j': options->json = true; return STATUS_OK;
	case 'h':
		fputs(help, stdout);
		options->done = true;
		return STATUS_OK;
	case '?':
	case ':': return wrong_option(verb, argv);
	default: return selection_option(&options->selection, verb, option, optarg);
	}
}
