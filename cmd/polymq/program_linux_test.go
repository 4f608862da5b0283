package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestReadMappings(t *testing.T) {
	t.Parallel()
	const smaps = `00400000-01c53000 r-xp 00000000 fe:00 10560233                           /usr/bin/polymq
Rss:               19212 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
01c53000-0356d000 r--p 01853000 fe:00 10560233                           /usr/bin/polymq
Anonymous:             4 kB
0356d000-0363a000 rw-p 0316d000 fe:00 10560233                           /usr/bin/polymq
Anonymous:             0 kB
0363a000-05688000 rw-p 00000000 00:00 0
Anonymous:             0 kB
7f0000000000-7f0000001000 r-xp 00026000 fe:00 99                         /usr/lib/other/usr/bin/polymq
Anonymous:             0 kB
7f0000001000-7f0000002000 r--p 00026000 fe:00 10560233                   /usr/bin/polymq
Anonymous:             0 kB
`
	got, err := readMappings(strings.NewReader(smaps), "/usr/bin/polymq")
	if want := []mapping{{0x400000, 0x1c53000}, {0x7f0000001000, 0x7f0000002000}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
}

// A program goes on after its own code has been taken from it.
func TestReleaseProgram(t *testing.T) {
	t.Parallel()
	for range 5 {
		if err := releaseProgram(); err != nil {
			t.Fatal(err)
		}
	}
}
