# bash completion for cowspy. Verbs and options are asked for from the command's own help.
# shellcheck shell=bash

_cowspy_values()
{
	case $1 in
	--by | -b)
		case $2 in
		diff) echo stack function ;;
		*) echo stack function module mapping object process time label slice ;;
		esac
		;;
	--format | -f) [ "$2" != export ] || echo pprof folded speedscope json csv openmetrics ;;
	--unit | -u) echo pages bytes ;;
	--kind) echo copied file zero fill fork reuse unknown ;;
	--cause) echo write syscall lock populate ;;
	--side) echo parent child none ;;
	--scope | -s) [ "$2" != record ] || echo auto mmap all ;;
	--signal | -S) [ "$2" != record ] || echo USR1 USR2 RTMIN+1 none ;;
	esac
}

_cowspy()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words
	local command=${COMP_WORDS[0]} verb=${COMP_WORDS[1]}

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		words="$("$command" --help 2>/dev/null | sed -nE 's/^  ([a-z]+) +.*cowspy .*/\1/p') --help --version"
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
		return
	fi
	words=$(_cowspy_values "$before" "$verb")
	if [ -n "$words" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	elif [[ $word == -* ]]; then
		words=$("$command" "$verb" --help 2>/dev/null | grep -oE -e '^ .{0,5}--[a-z-]+' | grep -oE -e '--[a-z-]+')
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		case $verb in
		record | doctor) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -c -- "$word") ;;
		pages | compare | snapshot | report | export | html)
			mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(cd /proc && compgen -G '[0-9]*' | grep -e "^$word")
			;;
		esac
	fi
}

complete -o filenames -F _cowspy cowspy
