/*
 * Names of the places in code that a model's stacks lead through. Single-threaded; files are opened
 * on first need. Nothing here is safe for a terminal.
 */
#ifndef COWSPY_TOOLS_MODEL_NAMES_H
#define COWSPY_TOOLS_MODEL_NAMES_H

#include "model.h"

/* Functions and lines at a frame; never NULL, without names where none are known. */
const struct code_place *model_place(struct model *model, uint32_t frame);

/* The function whose code a frame is in, inlined ones first; NULL: unknown. */
const char *model_function(struct model *model, uint32_t frame);

/* What reads the module's file; NULL for code outside of files, and without names. */
struct symbolizer_module *model_module_symbols(struct model *model, uint32_t module);

/* The last part of the path of a frame's module; "[generated]" outside of all files. */
const char *model_module_name(const struct model *model, uint32_t module);

/* What the module's file calls the place; outside of files the address itself. */
uint64_t model_address(struct model *model, uint32_t frame);

/* Why a module gives no names, or fewer than it could; NULL: it does, or was not needed. */
const char *model_module_problem(struct model *model, uint32_t module);

#endif
