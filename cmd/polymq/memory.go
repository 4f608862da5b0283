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

// tuneCollector sets up the garbage collector anew whenever what the server does has changed, until it is stopped.
func tuneCollector(waiting func() int) (stop func()) {
	if !isCollectorFree() {
		return func() {}
	}
	allocated := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	ticker, done := time.NewTicker(tuneEvery), make(chan struct{})
	var tuning sync.WaitGroup
	tuning.Go(func() {
		metrics.Read(allocated)
		before, set := allocated[0].Value.Uint64(), gcPercent
		for {
			select {
			case <-ticker.C:
			case <-done:
				return
			}
			metrics.Read(allocated)
			now := allocated[0].Value.Uint64()
			percent := percentFor(waiting(), (now-before)/uint64(tuneEvery/time.Second))
			if before = now; percent != set {
				set = percent
				debug.SetGCPercent(percent)
			}
		}
	})
	return func() {
		ticker.Stop()
		close(done)
		tuning.Wait()
	}
}
