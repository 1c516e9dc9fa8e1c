"""Four pages seen by three: TOOL LETTERS PID ADDRESS REPORT FILESYSTEM; LETTERS are the API's."""
import sys
import time

from tool_judge import expect, has_frame_numbers, letters, pages_of

tool, inside, pid, address, report, filesystem = sys.argv[1:7]
address = int(address, 16)


def drawn():
    """The four letters of the report, once it has been written."""
    row = f'  0x{address:012x} '
    for _ in range(100):
        try:
            with open(report, encoding='utf-8') as file:
                text = file.read()
        except FileNotFoundError:
            text = ''
        found = [line for line in text.splitlines() if line.startswith(row)]
        if found and 'coverage and limits' in text:
            return found[0][len(row):]
        time.sleep(0.1)
    raise AssertionError('no report')


def known(word):
    # The kernel maps up to 16 file pages around a fault: untouched, or clean.
    assert word[1] in '.f', word
    return word[0] + '?' + word[2:]


view = pages_of(tool, pid, '--frames')
outside = ''.join(letters(view['mappings'], address, 4))
expect('report', 'C?Cf', known(drawn()))
expect('cowspy_copied', 'C?Cf', known(inside))
expect('cowspy pages', 'C?Cf', known(outside))
if has_frame_numbers():
    frames = {int(frame['address'], 16): frame for mapping in view['mappings']
              for frame in mapping['frame_list']}
    for i in (0, 2):
        assert 'swapbacked' in frames[address + i * 4096]['flags'], frames
    if filesystem != 'tmpfs':
        assert 'swapbacked' not in frames[address + 3 * 4096]['flags'], frames
    print('frame flags agree')
else:
    assert 'CAP_SYS_ADMIN' in ' '.join(view['missing']), view['missing']
