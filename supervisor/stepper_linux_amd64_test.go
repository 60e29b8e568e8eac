//go:build linux && amd64 && !race

package supervisor

import (
	"bytes"
	"debug/elf"
	"debug/gosym"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A stepper kills a process at a chosen instruction. It works through ptrace,
// in a process of its own: whoever traces a process also waits for it, and the
// supervisor waits for its workers itself. The two talk in lines of JSON, one
// order, one report.
type stepper struct {
	out     *json.Encoder
	in      *json.Decoder
	reports *os.File
}

const stepperRole = "step"

func init() { roles[stepperRole] = step }

type verb string

// The orders of one round, after each of which some thread is at the breakpoint
// or the process is dead.
const (
	doAttach verb = "attach" // set a breakpoint in a process and let it run
	doAwait  verb = "await"  // report when a thread is at the breakpoint
	doPass   verb = "pass"   // let that thread go on, then await
	doLearn  verb = "learn"  // step that thread to the end of its path, then kill
	doKill   verb = "kill"   // let that thread run some instructions, then kill
)

type order struct {
	Do       verb
	PID      int    // for attach
	Function string // for attach: the breakpoint is its entry
	Steps    int    // for kill
}

type report struct {
	Error  string
	Denied bool // the error is that ptrace is not allowed here
	Death  death
}

// death tells where a process was killed.
type death struct {
	Function string // or what else is mapped there
	Place    string // of the next instruction: function and offset
	Steps    int    // instructions from the breakpoint, fewer than asked for if the path ended
	Ended    bool   // the thread fell asleep, or came by the breakpoint too often
	Strayed  bool   // the path did not pass a landmark it always had: the steps are unknown
}

// patience bounds every wait of the stepper and for it.
const patience = 10 * time.Second

// startStepper starts the stepper's process, which ends with the test.
func startStepper(t *testing.T) *stepper {
	t.Helper()
	cmd := command(stepperRole, "")
	cmd.Stderr = os.Stderr
	orders, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = w
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		orders.Close() // the process ends, and with it whatever it traces
		end(cmd)
		r.Close()
	})
	return &stepper{json.NewEncoder(orders), json.NewDecoder(r), r}
}

// end waits for a process that is about to end.
func end(cmd *exec.Cmd) {
	late := time.AfterFunc(2*patience, func() { cmd.Process.Kill() })
	defer late.Stop()
	cmd.Wait()
}

var errDenied = errors.New("ptrace is not allowed here")

// order has the stepper do something. After an error no process is traced.
func (s *stepper) order(o order) (death, error) {
	if err := s.out.Encode(o); err != nil {
		return death{}, fmt.Errorf("%s: %w", o.Do, err)
	}
	// An order takes two waits at most: its own, and for the end of a process.
	s.reports.SetReadDeadline(time.Now().Add(3 * patience))
	var r report
	err := s.in.Decode(&r)
	switch {
	case err != nil:
		return death{}, fmt.Errorf("%s: no report from the stepper: %w", o.Do, err)
	case r.Denied:
		return death{}, fmt.Errorf("%w: %s", errDenied, r.Error)
	case r.Error != "":
		return death{}, fmt.Errorf("%s: %s", o.Do, r.Error)
	}
	return r.Death, nil
}

// step is the stepper's process.
func step() {
	// The tracer of a thread is one thread, here on one CPU: see tracee.kill.
	runtime.LockOSThread()
	var cpus, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &cpus); err != nil {
		panic(err)
	}
	for cpu := 0; one.Count() == 0; cpu++ {
		if cpus.IsSet(cpu) {
			one.Set(cpu)
		}
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		panic(err)
	}
	code, err := readCode()
	if err != nil {
		panic(err)
	}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	p, marks := &tracee{}, &landmarks{}
	for {
		var o order
		if err := in.Decode(&o); err == io.EOF {
			os.Exit(0)
		} else if err != nil {
			panic(err)
		}
		var r report
		var err error
		switch o.Do {
		case doAttach:
			p = &tracee{pid: o.PID, code: code, marks: marks, cpu: one, threads: map[int]bool{}}
			err = p.attach(o.Function)
		case doAwait:
			err = p.await()
		case doPass:
			if err = p.pass(); err == nil {
				err = p.await()
			}
		case doLearn:
			r.Death, err = p.learn()
		case doKill:
			r.Death, err = p.kill(o.Steps)
		default:
			err = fmt.Errorf("unknown order %q", o.Do)
		}
		if err != nil {
			r.Error, r.Denied = errors.Join(err, p.end()).Error(), errors.Is(err, unix.EPERM)
		}
		if err := out.Encode(r); err != nil {
			panic(err)
		}
	}
}

// code is this program's machine code, which its workers run as well.
type code struct {
	start uint64
	text  []byte
	table *gosym.Table
}

func readCode() (*code, error) {
	f, err := elf.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, lines := f.Section(".text"), f.Section(".gopclntab")
	if text == nil || lines == nil {
		return nil, errors.New("this binary lacks .text or .gopclntab")
	}
	c := &code{start: text.Addr}
	if c.text, err = text.Data(); err != nil {
		return nil, err
	}
	pcs, err := lines.Data()
	if err != nil {
		return nil, err
	}
	if c.table, err = gosym.NewTable(nil, gosym.NewLineTable(pcs, text.Addr)); err != nil {
		return nil, err
	}
	// A position-independent binary lies elsewhere, in every process anew.
	pc := uint64(reflect.ValueOf(readCode).Pointer())
	if f := c.table.PCToFunc(pc); f == nil || f.Entry != pc {
		return nil, fmt.Errorf("this binary (%v) does not lie where its tables say: build it with -buildmode=exe and without cgo", f)
	}
	return c, nil
}

// entry returns the address of a function.
func (c *code) entry(function string) (uint64, error) {
	f := c.table.LookupFunc(function)
	if f == nil {
		return 0, fmt.Errorf("this binary has no function %s: it was renamed, or the compiler inlined it everywhere", function)
	}
	return f.Entry, nil
}

// at returns n bytes of code, nil outside.
func (c *code) at(pc uint64, n int) []byte {
	if pc < c.start || pc-c.start+uint64(n) > uint64(len(c.text)) {
		return nil
	}
	return c.text[pc-c.start:][:n]
}

// syscallAt reports whether the instruction at pc is a system call.
func (c *code) syscallAt(pc uint64) bool { return bytes.Equal(c.at(pc, 2), []byte{0x0f, 0x05}) }

// landmarks are instructions that every learned path passed, and after how many
// others it first did. A process gets to one at full speed, so that only the
// rest of the way is stepped: a step costs some 20 us, and the steps to every
// instruction of a path grow with the square of its length.
type landmarks struct{ first map[uint64]int }

// learn takes in one more path.
func (l *landmarks) learn(first map[uint64]int) {
	if l.first == nil {
		l.first = first
	}
	for pc := range l.first {
		if _, ok := first[pc]; !ok {
			delete(l.first, pc)
		}
	}
}

// before returns the last landmark within that many steps; false if none is.
func (l *landmarks) before(steps int) (pc uint64, first int, ok bool) {
	for p, n := range l.first {
		if n <= steps && n > first {
			pc, first, ok = p, n, true
		}
	}
	return pc, first, ok
}

// tracee is a process under trace, with all its threads.
type tracee struct {
	pid     int
	code    *code
	marks   *landmarks
	cpu     unix.CPUSet  // the tracer's
	threads map[int]bool // whether they are stopped
	entry   uint64       // of the function
	hit     int          // thread at the breakpoint, 0 while none is
}

var (
	errGone = errors.New("the process ended")
	errLate = fmt.Errorf("nothing happened within %v", patience)
)

const breakpoint = 0xcc // INT3

// wait returns what happened to a thread next: it stopped or ended. Nothing
// within the limit is errLate.
func (p *tracee) wait(limit time.Duration) (int, unix.WaitStatus, error) {
	for begin := time.Now(); ; time.Sleep(50 * time.Microsecond) {
		tid, status, err := p.changed(unix.WNOHANG)
		if tid != 0 || err != nil {
			return tid, status, err
		}
		if time.Since(begin) > limit {
			return 0, 0, errLate
		}
	}
}

// changed is wait4 for all threads, those that nobody has heard of included.
func (p *tracee) changed(flags int) (int, unix.WaitStatus, error) {
	for {
		var status unix.WaitStatus
		tid, err := unix.Wait4(-1, &status, unix.WALL|flags, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.ECHILD:
			return 0, 0, errGone
		case err != nil:
			return 0, 0, fmt.Errorf("wait4: %w", err)
		case tid == 0:
			return 0, 0, nil
		case status.Stopped():
			p.threads[tid] = true
		default:
			delete(p.threads, tid)
		}
		return tid, status, nil
	}
}

// attach sets a breakpoint at the entry of a function and lets the process run.
func (p *tracee) attach(function string) error {
	entry, err := p.code.entry(function)
	if err != nil {
		return err
	}
	p.entry = entry
	// Threads start threads until the last one is stopped.
	for grown := true; grown; {
		if grown, err = p.seize(); err != nil {
			return err
		}
		if err := p.stop(); err != nil {
			return err
		}
	}
	if len(p.threads) == 0 {
		return errGone
	}
	for tid := range p.threads {
		// So that no breakpoint outlives the tracer, and no thread escapes it.
		if err := unix.PtraceSetOptions(tid, unix.PTRACE_O_EXITKILL|unix.PTRACE_O_TRACECLONE); err != nil {
			return fmt.Errorf("setting options: %w", err)
		}
	}
	begins := make([]byte, 16)
	if _, err := unix.PtracePeekText(p.any(), uintptr(entry), begins); err != nil {
		return fmt.Errorf("reading %s: %w", function, err)
	}
	if !bytes.Equal(begins, p.code.at(entry, len(begins))) {
		return fmt.Errorf("process %d runs another binary: %s is not at %#x", p.pid, function, entry)
	}
	if err := p.set(entry); err != nil {
		return err
	}
	return p.resumeAll()
}

// seize attaches to the threads that are not yet attached to.
func (p *tracee) seize() (grown bool, err error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", p.pid))
	if err != nil {
		return false, err
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(filepath.Base(task))
		if err != nil {
			return false, err
		}
		if _, ok := p.threads[tid]; ok {
			continue
		}
		switch err := unix.PtraceSeize(tid); err {
		case nil:
			p.threads[tid] = false
			grown = true
		case unix.ESRCH: // it has ended
		default:
			return false, fmt.Errorf("attaching to thread %d of %d: %w", tid, p.pid, err)
		}
	}
	return grown, nil
}

// stop stops every thread.
func (p *tracee) stop() error {
	for tid, stopped := range p.threads {
		if !stopped {
			if err := unix.PtraceInterrupt(tid); err != nil && err != unix.ESRCH {
				return fmt.Errorf("stopping thread %d: %w", tid, err)
			}
		}
	}
	for begin := time.Now(); ; {
		running := false
		for _, stopped := range p.threads {
			running = running || !stopped
		}
		if !running {
			return nil
		}
		if time.Since(begin) > patience {
			return fmt.Errorf("stopping all threads: %w", errLate)
		}
		tid, status, err := p.wait(patience)
		if err != nil {
			return fmt.Errorf("stopping all threads: %w", err)
		}
		if sig := status.StopSignal(); status.Stopped() && sig != unix.SIGTRAP && event(status) == 0 {
			// A signal on its way. Taken with it, the thread stops again at
			// the interrupt.
			if err := p.resume(tid, sig); err != nil {
				return err
			}
		}
	}
}

// event is the PTRACE_EVENT_ a thread stopped for, 0 for a signal.
func event(status unix.WaitStatus) int { return int(status >> 16) }

// any returns a stopped thread.
func (p *tracee) any() int {
	for tid, stopped := range p.threads {
		if stopped {
			return tid
		}
	}
	return 0
}

// set puts a breakpoint on an instruction.
func (p *tracee) set(pc uint64) error { return p.poke(pc, breakpoint) }

// unset takes a breakpoint away.
func (p *tracee) unset(pc uint64) error { return p.poke(pc, p.code.at(pc, 1)[0]) }

func (p *tracee) poke(pc uint64, b byte) error {
	if _, err := unix.PtracePokeText(p.any(), uintptr(pc), []byte{b}); err != nil {
		return fmt.Errorf("writing a breakpoint: %w", err)
	}
	return nil
}

func (p *tracee) resumeAll() error {
	for tid := range p.threads {
		if err := p.resume(tid, 0); err != nil {
			return err
		}
	}
	return nil
}

// resume lets a thread run, with a signal unless it is 0.
func (p *tracee) resume(tid int, sig unix.Signal) error {
	p.threads[tid] = false
	if err := unix.PtraceCont(tid, int(sig)); err != nil && err != unix.ESRCH {
		return fmt.Errorf("resuming thread %d: %w", tid, err)
	}
	return nil
}

// await returns when a thread is at the breakpoint, about to run the first
// instruction there. All threads are stopped then: for a scheduler that watches
// the clock, a thread that stands at a breakpoint has stalled, and it would
// take its work away.
func (p *tracee) await() error {
	for begin := time.Now(); time.Since(begin) < patience; {
		tid, status, err := p.wait(patience)
		if err != nil {
			return err
		}
		sig := status.StopSignal()
		switch {
		case !status.Stopped():
		case event(status) != 0:
			err = p.resume(tid, 0)
		case sig != unix.SIGTRAP:
			err = p.resume(tid, sig)
		default:
			if err := p.rewind(tid, p.entry); err != nil {
				return err
			}
			p.hit = tid
			return p.stop()
		}
		if err != nil {
			return err
		}
	}
	return errLate
}

// rewind takes a thread that met the breakpoint at pc back to it.
func (p *tracee) rewind(tid int, pc uint64) error {
	var regs unix.PtraceRegs
	if err := unix.PtraceGetRegs(tid, &regs); err != nil {
		return fmt.Errorf("registers at a breakpoint: %w", err)
	}
	if regs.Rip != pc+1 {
		_, place := p.place(regs.Rip)
		return fmt.Errorf("thread %d trapped at %s", tid, place)
	}
	regs.Rip--
	if err := unix.PtraceSetRegs(tid, &regs); err != nil {
		return fmt.Errorf("registers at a breakpoint: %w", err)
	}
	return nil
}

var errNoHit = errors.New("no thread is at the breakpoint")

// pass lets the thread at the breakpoint go on. The function must not be
// called by several threads at once, or a call may go unseen.
func (p *tracee) pass() error {
	if p.hit == 0 {
		return errNoHit
	}
	if err := p.unset(p.entry); err != nil {
		return err
	}
	if _, err := p.step(true); err != nil {
		return err
	}
	if err := p.set(p.entry); err != nil {
		return err
	}
	p.hit = 0
	return p.resumeAll()
}

// maxVisits is how often a path may come by the breakpoint.
const maxVisits = 8

// learn steps the thread at the breakpoint to the end of its path, notes the
// way, and kills the process.
func (p *tracee) learn() (death, error) {
	if err := p.prepare(); err != nil {
		return death{}, err
	}
	first := map[uint64]int{}
	d, err := p.walk(0, math.MaxInt, func(pc uint64, step int) {
		if _, ok := first[pc]; !ok && p.code.at(pc, 1) != nil {
			first[pc] = step
		}
	})
	if err != nil {
		return death{}, err
	}
	p.marks.learn(first)
	return d, p.end()
}

// kill lets the thread at the breakpoint run that many instructions, fewer if
// its path ends before, and kills the process. All other threads stand still
// meanwhile. If the thread needs one of them, it sleeps, which ends the path.
func (p *tracee) kill(steps int) (death, error) {
	if err := p.prepare(); err != nil {
		return death{}, err
	}
	pc, from, ok := p.marks.before(steps)
	if ok {
		reached, err := p.run(pc)
		if err != nil {
			return death{}, err
		}
		if !reached {
			delete(p.marks.first, pc)
			return death{Place: "an unknown place", Strayed: true}, p.end()
		}
	}
	d, err := p.walk(from, steps, func(uint64, int) {})
	if err != nil {
		return death{}, err
	}
	return d, p.end()
}

// prepare makes the thread at the breakpoint the only one that runs from there.
func (p *tracee) prepare() error {
	if p.hit == 0 {
		return errNoHit
	}
	if err := p.unset(p.entry); err != nil {
		return err
	}
	// Both on one CPU, so that a step costs no wake-up of another.
	if err := unix.SchedSetaffinity(p.hit, &p.cpu); err != nil {
		return fmt.Errorf("moving the thread to the tracer's CPU: %w", err)
	}
	return nil
}

// run lets the thread run until it is at pc; false if it fell asleep before.
func (p *tracee) run(pc uint64) (reached bool, err error) {
	if err := p.set(pc); err != nil {
		return false, err
	}
	for {
		if err := p.resume(p.hit, 0); err != nil {
			return false, err
		}
		status, err := p.stopped(true)
		if err == errAsleep {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if event(status) == 0 && status.StopSignal() == unix.SIGTRAP {
			break
		}
	}
	if err := p.rewind(p.hit, pc); err != nil {
		return false, err
	}
	return true, p.unset(pc)
}

// walk steps the thread from one step of its path to another, at most to its
// end, and shows each instruction before it is run.
func (p *tracee) walk(from, to int, show func(pc uint64, step int)) (death, error) {
	// The end of the process ends any wait for a step. Its number is its own as
	// long as the tracer has not waited for it.
	late := time.AfterFunc(patience, func() { unix.Kill(p.pid, unix.SIGKILL) })
	defer late.Stop()
	visits := 0
	for step := from; ; step++ {
		var regs unix.PtraceRegs
		if err := unix.PtraceGetRegs(p.hit, &regs); err != nil {
			return death{}, fmt.Errorf("registers after %d steps: %w", step, err)
		}
		if regs.Rip == p.entry {
			visits++
		}
		ended, asleep := visits == maxVisits, false
		if step < to && !ended {
			show(regs.Rip, step)
			var err error
			asleep, err = p.step(p.code.syscallAt(regs.Rip))
			if err != nil {
				_, place := p.place(regs.Rip)
				return death{}, fmt.Errorf("step %d, at %s: %w", step, place, err)
			}
			if !asleep {
				continue
			}
		}
		d := death{Steps: step, Ended: ended || asleep}
		d.Function, d.Place = p.place(regs.Rip)
		if asleep {
			d.Place += fmt.Sprintf(" (asleep in system call %d)", regs.Rax)
		}
		return d, nil
	}
}

// step runs one instruction of the thread at the breakpoint, without any
// signal, and reports whether it sleeps in it. One that cannot sleep is waited
// for in the kernel, which is faster.
func (p *tracee) step(canSleep bool) (asleep bool, err error) {
	for {
		p.threads[p.hit] = false
		if err := unix.PtraceSingleStep(p.hit); err != nil {
			return false, fmt.Errorf("stepping: %w", err)
		}
		status, err := p.stopped(canSleep)
		switch sig := status.StopSignal(); {
		case err == errAsleep:
			return true, nil
		case err != nil:
			return false, err
		case event(status) != 0: // on the way: the thread started a thread
		case sig == unix.SIGTRAP:
			return false, nil
		case sig == unix.SIGURG: // the runtime's, to make it yield
		default:
			return false, fmt.Errorf("the thread got %s", unix.SignalName(sig))
		}
	}
}

var errAsleep = errors.New("the thread sleeps")

// sleepTime is how long a thread sleeps until it counts as asleep.
const sleepTime = 20 * time.Millisecond

// stopped returns when the thread at the breakpoint, which runs, has stopped.
func (p *tracee) stopped(canSleep bool) (unix.WaitStatus, error) {
	for begin := time.Now(); time.Since(begin) < patience; {
		var tid int
		var status unix.WaitStatus
		var err error
		if canSleep {
			tid, status, err = p.wait(sleepTime)
		} else {
			tid, status, err = p.changed(0)
		}
		switch {
		case err == errLate && p.sleeps():
			return 0, errAsleep
		case err == errLate: // it waits for a CPU
		case err != nil:
			return 0, err
		case !status.Stopped():
			return 0, errGone
		case tid == p.hit:
			return status, nil
		}
	}
	return 0, errLate
}

// sleeps reports whether the thread at the breakpoint, which runs, sleeps.
func (p *tracee) sleeps() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/stat", p.pid, p.hit))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(rest, "S")
}

// end kills the process and returns when the tracer is through with it: only
// then can its parent see that it is gone.
func (p *tracee) end() error {
	if len(p.threads) == 0 {
		return nil
	}
	unix.Kill(p.pid, unix.SIGKILL)
	for begin := time.Now(); time.Since(begin) < patience; {
		if _, _, err := p.wait(patience); err == errGone {
			return nil
		} else if err != nil {
			return fmt.Errorf("after SIGKILL: %w", err)
		}
	}
	return fmt.Errorf("after SIGKILL: %w", errLate)
}

// place names an instruction in a way that is the same in all processes: the
// function, or what else is mapped there, and the place in it.
func (p *tracee) place(pc uint64) (function, place string) {
	if f := p.code.table.PCToFunc(pc); f != nil {
		return f.Name, fmt.Sprintf("%s+%#x", f.Name, pc-f.Entry)
	}
	if maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.pid)); err == nil {
		for line := range strings.Lines(string(maps)) {
			var first, last uint64
			if _, err := fmt.Sscanf(line, "%x-%x", &first, &last); err == nil && first <= pc && pc < last {
				words := strings.Fields(line)
				name := words[len(words)-1] // such as [vdso], the kernel's code in this process
				return name, fmt.Sprintf("%s+%#x", name, pc-first)
			}
		}
	}
	return "nowhere", fmt.Sprintf("%#x", pc)
}
