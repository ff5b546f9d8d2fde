// The cells of the benchmark in Go: one sample of Go's channels, with the same rules and the same lines as a child of the
// benchmark prints. Arguments: the cell, and for how many milliseconds.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	firstRace = 1_000
	growth    = 4
	races     = 8
)

type message interface {
	uint64 | [32]uint64 | [512]uint64
}

type cell struct {
	senders, receivers, capacity, size int
}

type lap struct {
	time       time.Duration
	count, sum uint64
}

// numbered fills every word of the message with its number.
func numbered[M message](number uint64) (m M) {
	words := unsafe.Slice((*uint64)(unsafe.Pointer(&m)), unsafe.Sizeof(m)/8)
	for i := range words {
		words[i] = number
	}
	return m
}

func send[M message](channel chan<- M, from, to uint64) {
	for number := from; number < to; number++ {
		channel <- numbered[M](number)
	}
}

func receive[M message](channel <-chan M) (count, sum uint64) {
	for m := range channel {
		first := *(*uint64)(unsafe.Pointer(&m))
		last := *(*uint64)(unsafe.Add(unsafe.Pointer(&m), unsafe.Sizeof(m)-8))
		if first == last {
			count++
			sum += first
		}
	}
	return
}

// race times messages through one channel, from the first start to the last end.
func race[M message](c cell, messages uint64) lap {
	type leg struct {
		began, ended time.Time
		count, sum   uint64
	}
	channel := make(chan M, c.capacity)
	legs := make([]leg, c.senders+c.receivers)
	var ready, done sync.WaitGroup
	var sending atomic.Int64
	start := make(chan struct{})
	ready.Add(len(legs))
	done.Add(len(legs))
	sending.Store(int64(c.senders))
	for place := range legs {
		go func(place int) {
			defer done.Done()
			ready.Done()
			<-start
			leg := &legs[place]
			leg.began = time.Now()
			if place < c.senders {
				p, n := uint64(place), uint64(c.senders)
				send(channel, messages*p/n, messages*(p+1)/n)
				if sending.Add(-1) == 0 {
					close(channel)
				}
			} else {
				leg.count, leg.sum = receive(channel)
			}
			leg.ended = time.Now()
		}(place)
	}
	ready.Wait()
	close(start)
	done.Wait()
	var l lap
	began, ended := legs[0].began, legs[0].ended
	for _, leg := range legs {
		if leg.began.Before(began) {
			began = leg.began
		}
		if leg.ended.After(ended) {
			ended = leg.ended
		}
		l.count += leg.count
		l.sum += leg.sum
	}
	l.time = ended.Sub(began)
	return l
}

// checked ends the program with a verdict if a message was lost or doubled.
func checked[M message](c cell, messages uint64) time.Duration {
	fmt.Printf("race of %d\n", messages)
	l := race[M](c, messages)
	fmt.Printf("%d in %v\n", messages, l.time)
	if l.count != messages {
		fmt.Printf("lost %d of %d received\n", l.count, messages)
		os.Exit(0)
	}
	if l.sum != messages*(messages-1)/2 {
		fmt.Printf("lost %d received, but not those sent\n", l.count)
		os.Exit(0)
	}
	return l.time
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func allocations[M message](c cell, messages uint64) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	race[M](c, messages)
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs - before.Mallocs)
}

func sample[M message](c cell, lasting time.Duration) {
	messages := uint64(firstRace)
	for checked[M](c, messages) < lasting/races {
		messages *= growth
	}
	var sent uint64
	var taken time.Duration
	cpu := cpuTime()
	for taken < lasting {
		taken += checked[M](c, messages)
		sent += messages
	}
	cpu = cpuTime() - cpu
	allocated := max(allocations[M](c, messages)-allocations[M](c, 0), 0)
	each := func(total, count float64) float64 { return total / count }
	fmt.Printf("time %g %g %g\n", each(float64(taken), float64(sent)), each(float64(cpu), float64(sent)),
		each(allocated, float64(messages)))
}

// parse reads a cell's name, as in `tokio2/1-1/64` and `tokio2/1-1/64/256B`.
func parse(name string) (workers int, c cell, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) == 3 {
		parts = append(parts, "8B")
	}
	if len(parts) != 4 {
		return
	}
	senders, receivers, _ := strings.Cut(parts[1], "-")
	ok = true
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		ok = ok && err == nil
		return n
	}
	place, isTasks := strings.CutPrefix(parts[0], "tokio")
	if !isTasks || parts[2] == "unbounded" {
		return
	}
	c = cell{number(senders), number(receivers), number(parts[2]), number(strings.TrimSuffix(parts[3], "B"))}
	return number(place), c, ok
}

func main() {
	millis, err := strconv.Atoi(os.Args[2])
	workers, c, ok := parse(os.Args[1])
	if err != nil || !ok {
		fmt.Fprintln(os.Stderr, "no such cell or time:", os.Args[1:])
		os.Exit(2)
	}
	if workers == 0 {
		fmt.Println("absent")
		return
	}
	runtime.GOMAXPROCS(workers)
	time.AfterFunc(15*time.Second, func() { panic("nobody waits for this sample") })
	lasting := time.Duration(millis) * time.Millisecond
	switch c.size {
	case 8:
		sample[uint64](c, lasting)
	case 256:
		sample[[32]uint64](c, lasting)
	case 4096:
		sample[[512]uint64](c, lasting)
	default:
		fmt.Println("absent")
	}
}
