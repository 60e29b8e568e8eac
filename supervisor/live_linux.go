package supervisor

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/edsrzf/mmap-go"
	"golang.org/x/sys/unix"

	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// LiveRuns looks at the pools of worker processes that this user has running, in
// this program or any other of the same version. It maps their segments for reading
// only, once, and disturbs nobody. Pools that come and go meanwhile may be missing.
func LiveRuns() ([]LiveRun, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	runs := map[uint64]*run{}
	for _, dir := range dirs {
		look(dir, runs)
	}
	var all []LiveRun
	for _, r := range runs {
		if r.live.PID == 0 || len(r.members) == 0 {
			continue
		}
		r.finish()
		all = append(all, r.live)
	}
	slices.SortFunc(all, func(a, b LiveRun) int { return cmp.Compare(a.PID, b.PID) })
	return all, nil
}

// run is what is known of a pool, by the inode of its control segment.
type run struct {
	live    LiveRun
	members []member
}

// member is a worker.
type member struct {
	dir string // in /proc
	id  wire.Identity
}

// The names of segments, as links in /proc say them.
const (
	controlLink = "/memfd:gangsaw-control (deleted)"
	resultsLink = "/memfd:gangsaw-results (deleted)"
)

// look finds out whether a process belongs to a pool. Whatever cannot be read is
// somebody else's, or gone.
func look(dir string, runs map[uint64]*run) {
	pid, err := strconv.Atoi(filepath.Base(dir))
	if err != nil {
		return
	}
	info, err := os.Stat(dir)
	if err != nil {
		return
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Getuid() {
		return
	}
	environ, err := os.ReadFile(dir + "/environ")
	if err != nil {
		return
	}
	for variable := range strings.SplitSeq(string(environ), "\x00") {
		value, ok := strings.CutPrefix(variable, wire.EnvWorker+"=")
		if !ok {
			continue
		}
		if id, err := wire.ParseIdentity(value); err == nil {
			if inode, ok := segmentInode(fmt.Sprintf("%s/fd/%d", dir, wire.ControlFD)); ok {
				r := runOf(runs, inode)
				r.members = append(r.members, member{dir, id})
			}
		}
		return
	}
	fds, _ := filepath.Glob(dir + "/fd/*")
	for _, fd := range fds {
		// A program may have several pools.
		if inode, ok := segmentInode(fd); ok {
			r := runOf(runs, inode)
			command, _ := os.ReadFile(dir + "/cmdline")
			r.live.PID = pid
			r.live.Command = strings.ReplaceAll(strings.TrimSuffix(string(command), "\x00"), "\x00", " ")
		}
	}
}

func runOf(runs map[uint64]*run, inode uint64) *run {
	if runs[inode] == nil {
		runs[inode] = &run{}
	}
	return runs[inode]
}

// segmentInode returns the inode of a control segment that a process has open.
func segmentInode(fd string) (uint64, bool) {
	if link, err := os.Readlink(fd); err != nil || link != controlLink {
		return 0, false
	}
	var st unix.Stat_t
	if unix.Stat(fd, &st) != nil {
		return 0, false
	}
	return st.Ino, true
}

// finish looks at what the workers do.
func (r *run) finish() {
	claims := map[uint32]ring.Descriptor{}
	for _, m := range r.members {
		if r.claims(m, claims) {
			break // all share one control segment
		}
	}
	files := map[string]bool{}
	most := 0
	for _, m := range r.members {
		if w, ok := m.worker(claims); ok {
			r.live.Workers = append(r.live.Workers, w)
			most = max(most, int(w.Incarnation))
			m.files(files)
		}
	}
	// Incarnations count from 1.
	r.live.Restarts = max(0, most-len(r.live.Workers))
	for path := range files {
		r.live.Files = append(r.live.Files, path)
	}
	slices.Sort(r.live.Files)
	slices.SortFunc(r.live.Workers, func(a, b LiveWorker) int { return cmp.Compare(a.Incarnation, b.Incarnation) })
}

// mostSlots is more than any pool has.
const mostSlots = 1 << 20

// claims reads from the ring who works on what.
func (r *run) claims(m member, claims map[uint32]ring.Descriptor) bool {
	if m.id.Slots > mostSlots || m.id.Slots < 1 {
		return false
	}
	mem, err := peek(fmt.Sprintf("%s/fd/%d", m.dir, wire.ControlFD), controlLink, wire.ControlSize(m.id.Slots))
	if err != nil {
		return false
	}
	defer mem.Unmap()
	shared, err := ring.Attach(wire.RingBytes(mem), m.id.Slots)
	if err != nil {
		return false
	}
	for i := range shared.Capacity() {
		switch w, d, whole := shared.Peek(i); w.State() {
		case ring.Ready:
			r.live.Ready++
		case ring.Claimed, ring.Doomed:
			if whole {
				claims[w.Incarnation()] = d
			}
		}
	}
	return true
}

// peek maps the first bytes of a segment that another process has open for
// reading. It refuses what could shrink, which would fault.
func peek(fd, link string, size int) (mmap.MMap, error) {
	if got, err := os.Readlink(fd); err != nil || got != link {
		return nil, fmt.Errorf("%s is not %s", fd, link)
	}
	file, err := os.Open(fd)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	seals, err := unix.FcntlInt(file.Fd(), unix.F_GET_SEALS, 0)
	if err != nil || seals&unix.F_SEAL_SHRINK == 0 {
		return nil, fmt.Errorf("%s could shrink", link)
	}
	if info, err := file.Stat(); err != nil || info.Size() < int64(size) {
		return nil, fmt.Errorf("%s is too small", link)
	}
	return mmap.MapRegion(file, size, mmap.RDONLY, 0, 0)
}

// worker returns what a worker does, unless it is gone.
func (m member) worker(claims map[uint32]ring.Descriptor) (w LiveWorker, ok bool) {
	w.PID, _ = strconv.Atoi(filepath.Base(m.dir))
	w.Incarnation, w.State = m.id.Incarnation, "idle"
	stat, err := os.ReadFile(m.dir + "/stat")
	if err != nil {
		return w, false
	}
	mem, err := peek(fmt.Sprintf("%s/fd/%d", m.dir, wire.ResultsFD), resultsLink, wire.TallySize)
	if err != nil {
		return w, false
	}
	w.Chunks, w.Bytes = wire.TallyOf(mem).Load()
	mem.Unmap()
	if d, busy := claims[w.Incarnation]; busy {
		w.State, w.Chunk, w.Attempt = "working", d.Chunk, d.Attempt+1
	}
	var stopped bool
	w.Faults, stopped = parseStat(string(stat))
	if stopped {
		w.State = "stopped"
	}
	return w, true
}

// parseStat reads from the line of /proc/PID/stat the page faults, and whether the
// process is stopped. The name in it may be anything, parentheses included.
func parseStat(line string) (faults uint64, stopped bool) {
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	for _, i := range []int{7, 9} { // minor, major
		if i < len(fields) {
			n, _ := strconv.ParseUint(fields[i], 10, 62)
			faults += n
		}
	}
	return faults, len(fields) > 0 && (fields[0] == "T" || fields[0] == "t")
}

// files adds the data files that a worker has open. Those of the system are the
// runtime's, which watches limits of CPUs.
func (m member) files(all map[string]bool) {
	fds, _ := filepath.Glob(m.dir + "/fd/*")
	for _, fd := range fds {
		link, err := os.Readlink(fd)
		if err != nil || !strings.HasPrefix(link, "/") || slices.ContainsFunc([]string{"/memfd:", "/proc/", "/sys/"}, func(p string) bool { return strings.HasPrefix(link, p) }) {
			continue
		}
		if n, err := strconv.Atoi(filepath.Base(fd)); err != nil || n <= wire.ResultsFD {
			continue // not the pool's
		}
		if info, err := os.Stat(fd); err == nil && info.Mode().IsRegular() {
			all[link] = true
		}
	}
}
