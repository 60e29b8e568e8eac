// Package progress shows on standard error how a run gets on.
package progress

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Mode is how progress is shown.
type Mode int

// The modes. Auto is a bar on a terminal, nothing on a pipe and lines in a
// file.
const (
	Auto Mode = iota
	Bar
	Log
	JSON
	None
)

// ParseMode reads the name of a mode.
func ParseMode(s string) (Mode, error) {
	for m, name := range map[Mode]string{Auto: "auto", Bar: "bar", Log: "log", JSON: "json", None: "none"} {
		if s == name {
			return m, nil
		}
	}
	return Auto, fmt.Errorf("%q is none of auto, bar, log, json, none", s)
}

// State is how far a run is.
type State struct {
	Bytes   uint64
	Retries uint64
}

// View shows the progress of one run.
type View struct {
	out     *os.File
	mode    Mode // not Auto
	summary bool // a last line was asked for
	start   time.Time
	total   atomic.Uint64 // bytes

	mu      sync.Mutex // over out, bar and state
	bar     *progressbar.ProgressBar
	state   func() State // nil before Watch
	quit    chan struct{}
	watched sync.WaitGroup
	stop    sync.Once
}

// New returns a view for a run over that many bytes.
func New(out *os.File, mode Mode, total uint64) *View {
	v := &View{out: out, mode: mode, summary: mode != JSON && mode != None, start: time.Now(), quit: make(chan struct{})}
	v.total.Store(total)
	if mode == Auto {
		v.mode = choose(out)
	}
	return v
}

// choose decides what Auto means for out.
func choose(out *os.File) Mode {
	if term.IsTerminal(int(out.Fd())) {
		if os.Getenv("TERM") == "dumb" {
			return Log
		}
		return Bar
	}
	if info, err := out.Stat(); err == nil && info.Mode().IsRegular() {
		return Log
	}
	return None
}

const (
	barEvery = 100 * time.Millisecond
	logEvery = 2 * time.Second
	// barAfter keeps short runs free of a bar that flickers.
	barAfter = 300 * time.Millisecond
)

// Correct replaces a part of the total that was guessed by what it really is.
func (v *View) Correct(guess, truth uint64) { v.total.Add(truth - guess) }

// Watch shows the state now and then until Stop.
func (v *View) Watch(state func() State) {
	if v.mode == None {
		return
	}
	v.mu.Lock()
	v.state = state
	v.mu.Unlock()
	every := logEvery
	if v.mode == Bar {
		every = barEvery
	}
	v.watched.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-v.quit:
				return
			case <-tick.C:
				v.mu.Lock()
				v.show(state())
				v.mu.Unlock()
			}
		}
	})
}

// Note prints a line without disturbing the progress: in JSON as an object, so
// that all of the stream can be parsed.
func (v *View) Note(line string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.mode == JSON {
		json.NewEncoder(v.out).Encode(map[string]string{"event": line})
		return
	}
	if v.bar != nil {
		v.bar.Clear()
	}
	fmt.Fprintln(v.out, "gangsaw: "+line)
}

// Stop ends the view: a bar is cleared, in JSON the last state is shown. It may
// be called more than once.
func (v *View) Stop() {
	v.stop.Do(func() {
		close(v.quit)
		v.watched.Wait()
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.bar != nil {
			v.bar.Clear()
			v.bar = nil
		}
		if v.mode == JSON && v.state != nil {
			v.show(v.state())
		}
	})
}

// Summary prints the line that ends a run, where the mode asked for has one.
func (v *View) Summary(line string) {
	if v.summary {
		v.Note(line)
	}
}

// show prints a state; the lock is held.
func (v *View) show(s State) {
	took := time.Since(v.start)
	rate := float64(s.Bytes) / took.Seconds()
	switch v.mode {
	case Bar:
		v.showBar(s, took)
	case Log:
		fmt.Fprintf(v.out, "gangsaw: %s of %s, %s/s, %v left, %d retries\n",
			humanize.IBytes(s.Bytes), humanize.IBytes(v.total.Load()), humanize.IBytes(uint64(rate)), v.left(s, rate), s.Retries)
	case JSON:
		json.NewEncoder(v.out).Encode(map[string]any{
			"bytes": s.Bytes, "total": v.total.Load(), "seconds": took.Seconds(), "bytes_per_second": rate, "retries": s.Retries,
		})
	}
}

func (v *View) showBar(s State, took time.Duration) {
	if took < barAfter {
		return
	}
	if v.bar == nil {
		v.bar = progressbar.NewOptions64(int64(v.total.Load()),
			progressbar.OptionSetWriter(v.out),
			progressbar.OptionShowBytes(true),
			progressbar.OptionShowCount(),
			progressbar.OptionUseIECUnits(true),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetWidth(30))
	}
	description := "gangsaw"
	if s.Retries > 0 {
		description = fmt.Sprintf("gangsaw, %d retries", s.Retries)
	}
	v.bar.Describe(description)
	v.bar.ChangeMax64(int64(v.total.Load()))
	v.bar.Set64(int64(s.Bytes))
}

// left estimates the time to the end.
func (v *View) left(s State, rate float64) time.Duration {
	total := v.total.Load()
	if rate <= 0 || s.Bytes >= total {
		return 0
	}
	return time.Duration(float64(total-s.Bytes) / rate * float64(time.Second)).Round(time.Second)
}
