package supervisor

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// diary is an observer that remembers.
type diary struct {
	pool   atomic.Pointer[Pool]
	lines  []string
	runs   []ChunkRun
	hinder func() // at each report
}

func (d *diary) note(format string, args ...any) {
	if p := d.pool.Load(); p != nil {
		p.Counters() // as it may
	}
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
	if d.hinder != nil {
		d.hinder()
	}
}

func (d *diary) WorkerStarted(worker uint32, pid int) { d.note("worker started with pid %d", pid) }
func (d *diary) WorkerEnded(worker uint32, pid int)   { d.note("worker ended with pid %d", pid) }
func (d *diary) Event(e Event)                        { d.note("event %v", e.Kind) }
func (d *diary) ChunkRun(c ChunkRun) {
	d.runs = append(d.runs, c)
	d.note("chunk")
}

// count returns how many lines begin so.
func (d *diary) count(prefix string) (n int) {
	for _, line := range d.lines {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

func TestObserverIsToldWhatHappens(t *testing.T) { onBothPools(t, observerIsToldWhatHappens) }

func observerIsToldWhatHappens(t *testing.T, start func(...Option) *Pool) {
	var d diary
	var events int
	pool := start(Workers(1), Retries(0), Observe(&d), Observe(EventFunc(func(Event) { events++ })))
	d.pool.Store(pool)
	result(t, submit(t, pool, nap.With(20*time.Millisecond)), 1)
	for i := range int64(10) {
		result(t, submit(t, pool, square.With(i)), i*i)
	}
	for _, kind := range []faultKind{fails, panics, leaves} {
		if _, err := submit(t, pool, misbehave.With(fault{Kind: kind})).Result(t.Context()); err == nil {
			t.Error("no error")
		}
	}
	if c := pool.Counters(); c.Chunks != 11 || c.Failed != 2 || c.Quarantined != 1 || c.Pending != 0 {
		t.Errorf("%+v", c)
	}
	result(t, submit(t, pool, square.With(3)), 9)
	pool.Close()
	if s, e := d.count("worker started"), d.count("worker ended"); s != 2 || e != 2 || d.count("event chunk quarantined") != 1 || events != d.count("event") {
		t.Errorf("%d events, %q", events, d.lines)
	}
	if !strings.HasPrefix(d.lines[0], "worker started") && d.count("event oversubscribed") == 0 {
		t.Errorf("the first: %s", d.lines[0])
	}
	if len(d.runs) != 14 {
		t.Fatalf("%d chunks", len(d.runs))
	}
	for i, r := range d.runs {
		kernel, failed := square.Name(), false
		switch i {
		case 0:
			if kernel = nap.Name(); r.Duration < 20*time.Millisecond {
				t.Errorf("%+v: it slept longer", r)
			}
		case 11, 12:
			kernel, failed = misbehave.Name(), true
		}
		if r.Kernel != kernel || r.Failed != failed || r.Attempt != 1 || r.Worker == 0 || r.Duration <= 0 {
			t.Errorf("chunk %d: %+v", i, r)
		}
	}
}

func TestPendingIsWhatIsNotFinished(t *testing.T) { onBothPools(t, pendingIsWhatIsNotFinished) }

func pendingIsWhatIsNotFinished(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1))
	call, release := held(t)
	busy := submit(t, pool, call)
	await(t, busy, Running)
	var all []*Future[int64]
	for i := range int64(500) { // more than the ring holds
		all = append(all, submit(t, pool, square.With(i)))
	}
	if n := pool.Counters().Pending; n != 501 {
		t.Errorf("%d are pending, want 501", n)
	}
	all[499].Cancel()
	all[2].Cancel()
	if n := pool.Counters().Pending; n != 499 {
		t.Errorf("%d are pending, want 499", n)
	}
	release()
	for _, f := range all {
		<-f.Done()
	}
	if n := pool.Counters().Pending; n != 0 {
		t.Errorf("%d are pending, want none", n)
	}
}

func TestObserverCannotHarmThePool(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	for name, hinder := range map[string]func(){
		"panics": func() { panic("of an observer") },
		"leaves": runtime.Goexit,
		"stays":  func() { <-stuck },
	} {
		t.Run(name, func(t *testing.T) {
			var good diary
			bad := &diary{hinder: hinder}
			pool := start(t, InProcess(), Workers(2), Observe(&good), Observe(bad))
			for i := range int64(50) {
				result(t, submit(t, pool, square.With(i)), i*i)
			}
			pool.Close()
			if name != "stays" && (good.count("chunk") != 50 || bad.count("chunk") != 50) {
				t.Errorf("%d and %d chunks were told of 50", good.count("chunk"), bad.count("chunk"))
			}
		})
	}
}

func TestObserverThatIsTooSlowIsToldSo(t *testing.T) {
	var d diary
	begun, wait := make(chan bool), make(chan bool)
	d.hinder = func() {
		d.hinder = nil
		close(begun)
		<-wait
	}
	r := newReports([]Observer{&d}, true)
	r.WorkerStarted(1, 1)
	<-begun
	for range MaxReports + 7 {
		r.ChunkRun(ChunkRun{})
	}
	close(wait)
	until := func(n int) {
		for begin := time.Now(); ; time.Sleep(time.Millisecond) {
			r.mu.Lock()
			left := len(r.queue)
			r.mu.Unlock()
			if left <= n {
				return
			}
			if time.Since(begin) > 10*time.Second {
				t.Fatalf("%d reports are left", left)
			}
		}
	}
	until(MaxReports / 2)
	r.WorkerEnded(1, 1)
	r.close()
	<-r.ended
	if want := []string{"event reports lost", "worker ended with pid 1"}; len(d.lines) != MaxReports+3 || !slices.Equal(d.lines[MaxReports+1:], want) {
		t.Errorf("%d lines, at the end %q", len(d.lines), d.lines[len(d.lines)-2:])
	}
}

func TestNobodyMeasuresWhatNobodyWants(t *testing.T) {
	for _, c := range []struct {
		opts []Option
		want bool
	}{{nil, false}, {[]Option{Observe(EventFunc(func(Event) {}))}, false}, {[]Option{Observe(&diary{})}, true}} {
		o := defaults()
		for _, opt := range c.opts {
			opt(&o)
		}
		if o.timed() != c.want {
			t.Errorf("%d observers: timed: %v", len(o.observers), o.timed())
		}
	}
}
