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
	"github.com/dustin/go-humanize/english"
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
	Bytes    uint64
	Retries  uint64
	Respawns uint64
}

// View shows the progress of one run.
type View struct {
	out     *os.File
	mode    Mode // not Auto
	summary bool // a last line was asked for
	start   time.Time
	total   atomic.Uint64 // bytes, 0: nobody knows
	ceiling float64       // bytes per second that this machine reads at best, 0: nobody knows

	mu      sync.Mutex   // over out, bar and state
	bar     bool         // one is shown
	state   func() State // nil before Watch
	quit    chan struct{}
	watched sync.WaitGroup
	stop    sync.Once
}

// New returns a view for a run over that many bytes, or 0 if nobody knows, on a
// machine that reads so many in a second at best, or 0 if nobody knows.
func New(out *os.File, mode Mode, total uint64, ceiling float64) *View {
	v := &View{out: out, mode: mode, summary: mode != JSON && mode != None, ceiling: ceiling, start: time.Now(), quit: make(chan struct{})}
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
	v.clearBar()
	fmt.Fprintln(v.out, "gangsaw: "+line)
}

// Stop ends what moves: a bar is cleared, and no more states are shown. Notes may
// still come. It may be called more than once.
func (v *View) Stop() {
	v.stop.Do(func() {
		close(v.quit)
		v.watched.Wait()
		v.mu.Lock()
		defer v.mu.Unlock()
		v.clearBar()
	})
}

// End is Stop and prints what ends a run: in JSON the last state, else that line,
// if there is one and the mode asked for has one. Nothing may be noted after it.
func (v *View) End(line string) {
	v.Stop()
	v.mu.Lock()
	state := v.state
	v.mu.Unlock()
	switch {
	case v.mode == JSON && state != nil:
		v.mu.Lock()
		defer v.mu.Unlock()
		v.show(state())
	case v.summary && line != "":
		v.Note(line)
	}
}

// show prints a state; the lock is held.
func (v *View) show(s State) {
	took := time.Since(v.start)
	rate := float64(s.Bytes) / took.Seconds()
	total := v.total.Load()
	switch v.mode {
	case Bar:
		if took >= barAfter {
			line := v.line(s, total, rate)
			if s.Retries > 0 {
				line += retriesText(s)
			}
			v.showBar(s.Bytes, total, line)
		}
	case Log:
		fmt.Fprintln(v.out, "gangsaw: "+v.line(s, total, rate)+retriesText(s))
	case JSON:
		o := map[string]any{
			"bytes": s.Bytes, "total": total, "seconds": took.Seconds(), "bytes_per_second": rate,
			"retries": s.Retries, "respawns": s.Respawns,
		}
		if total > 0 {
			o["seconds_left"] = left(s.Bytes, total, rate).Seconds()
		}
		if v.ceiling > 0 {
			o["share_of_ceiling"] = rate / v.ceiling
		}
		json.NewEncoder(v.out).Encode(o)
	}
}

// line states how far a run is.
func (v *View) line(s State, total uint64, rate float64) string {
	line := humanize.IBytes(s.Bytes)
	if total > 0 {
		line += " of " + humanize.IBytes(total)
	}
	line += fmt.Sprintf(", %s/s%s", humanize.IBytes(uint64(rate)), v.shareText(rate))
	if total > 0 {
		line += fmt.Sprintf(", %v left", left(s.Bytes, total, rate))
	}
	return line
}

func retriesText(s State) string { return ", " + english.Plural(int(s.Retries), "retry", "") }

// shareText says what share of the machine's ceiling a rate is, if that is known.
func (v *View) shareText(rate float64) string {
	if v.ceiling <= 0 {
		return ""
	}
	return fmt.Sprintf(" (%.0f %% of the ceiling)", 100*rate/v.ceiling)
}

// left estimates the time to the end.
func left(done, total uint64, rate float64) time.Duration {
	if rate <= 0 || done >= total {
		return 0
	}
	return time.Duration(float64(total-done) / rate * float64(time.Second)).Round(time.Second)
}
