// Command ulp measures the largest error of every math function against exact
// values, and whether all tiers compute the same bits. It needs MPFR and glibc.
//
// Functions of one float32 are measured at all 2^32 of them, others at points
// drawn from everywhere and near the places that are hard.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"math"
	"regexp"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
)

// options are the flags.
type options struct {
	points int
	only   *regexp.Regexp
	short  bool
	write  string
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("ulp: ")
	var o options
	pattern := flag.String("run", "", "measure only kernels whose name and types, as in \"exp(float64) float64\", match `regexp`")
	flag.IntVar(&o.points, "points", 5_000_000, "how many points to draw for each function")
	flag.BoolVar(&o.short, "short", false, "a quick check: few points, a sample of float32")
	flag.StringVar(&o.write, "write", "", "put the table into the comment of this Go `file`; with -run only the measured rows change")
	flag.Parse()
	var err error
	if o.only, err = regexp.Compile(*pattern); err == nil {
		err = o.check()
	}
	if err == nil {
		err = run(o)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func (o *options) check() error {
	switch {
	case flag.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	case o.points < 1:
		return errors.New("-points must be positive")
	case o.short && o.write != "":
		return errors.New("the table is not made from a -short run")
	}
	if o.short {
		o.points = min(o.points, 20_000)
	}
	return nil
}

// shortStep is how far apart the float32 of a short run are: a prime.
const shortStep = 1009

// sweeps returns what to measure, in the order of names.
func sweeps(o options) []*sweep {
	var all []*sweep
	for _, k := range kernels.ElementwiseKernels() {
		fn, ok := functionOf(k.Name())
		if !ok || !o.only.MatchString(k.String()) {
			continue
		}
		ref, ok := findReference(fn.names[0])
		if !ok || ref.operands() != len(k.In()) {
			panic("no reference of " + k.String())
		}
		s := &sweep{kernel: k, fn: ref, draw: fn.draw, points: o.points}
		switch k.Out() {
		case kernels.Float64:
			s.f = binary64
		case kernels.Float32:
			s.f = binary32
		default:
			continue
		}
		if s.f == binary32 && ref.operands() == 1 {
			s.step = 1
			if o.short {
				s.step = shortStep
			}
			s.points = (1<<32-1)/s.step + 1
		}
		all = append(all, s)
	}
	return all
}

// run measures and writes the table.
func run(o options) error {
	var entries []entry
	failed := 0
	all := sweeps(o)
	if len(all) == 0 {
		return errors.New("no such kernel")
	}
	log.Printf("%d kernels, tiers up to %v", len(all), kernels.BestTier())
	fmt.Println(heading)
	for _, s := range all {
		start := time.Now()
		found := s.run()
		e := entryOf(s, found)
		entries = append(entries, e)
		fmt.Println(e)
		if found.error > limit || math.IsNaN(found.error) {
			log.Printf("%v: %s ULP: %v at %s", s.kernel, e.error, found.got, e.at)
			failed++
		}
		if found.tiers != "" {
			log.Printf("%v: tiers differ: %s", s.kernel, found.tiers)
			failed++
		}
		log.Printf("%v: %v", s.kernel, time.Since(start).Round(10*time.Millisecond))
	}
	if failed > 0 {
		return fmt.Errorf("%d failures", failed)
	}
	if o.write == "" {
		return nil
	}
	return writeTable(o.write, entries, func(function, typ string) bool {
		return o.only.String() != "" && stillThere(function, typ) && !measured(entries, function, typ)
	})
}

// stillThere reports whether there is a kernel that a row of the table is of.
func stillThere(function, typ string) bool {
	for _, k := range kernels.ElementwiseKernels() {
		if k.Name() == function && k.Out().String() == typ {
			return true
		}
	}
	return false
}

func measured(entries []entry, function, typ string) bool {
	for _, e := range entries {
		if e.function == function && e.typ == typ {
			return true
		}
	}
	return false
}
