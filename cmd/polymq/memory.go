package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// The garbage collector runs when the heap has grown by a part of its size, and a server's own heap is
// so small that it would run all the time. The ballast makes it larger; nobody touches it, so that it
// takes no memory: the server collects after about 20 MiB of garbage, while the heap of 5,000 long polls,
// which a higher GOGC would multiply, may grow by less than by default.
//
// While many polls wait and little else is done, it runs sooner: the heap is theirs, and the garbage would take
// longer to come together than it takes to be worth its memory.
const (
	ballastBytes = 40 << 20
	gcPercent    = 50 // where GOGC does not say otherwise

	manyPolls     = 1000
	pollsPercent  = 10
	littleGarbage = 8 << 20 // bytes in a second
	tuneEvery     = 2 * time.Second
)

// What the start took, and what work takes while it lasts, a server gives back: memory that the collector keeps for the garbage to come, and
// code that is not in use any more.
const (
	restGarbage = 512 << 10 // bytes in a second, below which a server rests
	restLooks   = 15        // in a row, after each of which memory is given back
)

// rest counts the looks in a row at which a server rested.
type rest int

// isLong says at a look whether memory is to be given back.
func (r *rest) isLong(garbage uint64) bool {
	if *r++; garbage >= restGarbage {
		*r = 0
	}
	return *r > 0 && *r%restLooks == 0
}

// giveBack gives the system the memory that is not in use.
func giveBack() {
	debug.FreeOSMemory()
	_ = releaseProgram() // else the process only looks larger
}

// loadBallast sets up the garbage collector; the ballast must be kept alive.
func loadBallast() []byte {
	if isCollectorFree() {
		debug.SetGCPercent(gcPercent)
	}
	ballast := make([]byte, ballastBytes)
	_ = unix.Madvise(ballast, unix.MADV_DONTNEED) // where a part of it was used before, all of it has just been set to zero
	return ballast
}

// isCollectorFree says that the operator leaves the garbage collector to the server.
func isCollectorFree() bool { return os.Getenv("GOGC") == "" }

// percentFor gives how much the heap may grow before the next collection.
func percentFor(waiting int, garbage uint64) int {
	if waiting >= manyPolls && garbage < littleGarbage {
		return pollsPercent
	}
	return gcPercent
}

// tuneMemory sets up the garbage collector anew whenever what the server does has changed, and gives memory back at first and while
// the server rests, until it is stopped.
func tuneMemory(waiting func() int) (stop func()) {
	allocated := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	ticker, done := time.NewTicker(tuneEvery), make(chan struct{})
	var tuning sync.WaitGroup
	tuning.Go(func() {
		giveBack()
		metrics.Read(allocated)
		before, set, free := allocated[0].Value.Uint64(), gcPercent, isCollectorFree()
		var rests rest
		for {
			select {
			case <-ticker.C:
			case <-done:
				return
			}
			metrics.Read(allocated)
			now := allocated[0].Value.Uint64()
			garbage := (now - before) / uint64(tuneEvery/time.Second)
			before = now
			if percent := percentFor(waiting(), garbage); free && percent != set {
				set = percent
				debug.SetGCPercent(percent)
			}
			if rests.isLong(garbage) {
				giveBack()
			}
		}
	})
	return func() {
		ticker.Stop()
		close(done)
		tuning.Wait()
	}
}
