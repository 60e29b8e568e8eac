package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
)

// Journal is the supervisor's hold on a journal. It reads and writes through the
// file, never through a mapping, which could fault.
type Journal struct {
	Header   *Header // nil, of one in memory
	path     string
	mapping  *shm.Mapping // for the workers
	layout   Layout
	geometry Geometry
	array    format.Array // in the target
	pieced   *pieced      // where its elements lie; nil: together
}

// Error reports a journal that is no use.
type Error struct {
	Path   string // of the journal
	What   string
	Remedy string
}

func (e *Error) Error() string { return fmt.Sprintf("journal %s: %s: %s", e.Path, e.What, e.Remedy) }

// Name returns where the journal of a target lies: beside it, or in dir, where its
// name tells its file from all others.
func Name(target *shm.Mapping, dir string) (string, error) {
	if dir == "" {
		real, err := filepath.EvalSymlinks(target.Where())
		return real + ".gangsaw", err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	device, number, err := fileNumber(target.File())
	return filepath.Join(dir, fmt.Sprintf("%x-%d.gangsaw", device, number)), err
}

// Find returns the journal that a run has left of a file: under its name, or where
// the file itself says, which may have been moved since. Otherwise found is false,
// and the name is where it would lie.
func Find(target *shm.Mapping, dir string) (name string, found bool, err error) {
	name, err = Name(target, dir)
	if err != nil || exists(name) {
		return name, err == nil, err
	}
	if marked := markOf(target.File()); marked != "" {
		if j, err := open(marked, target); err == nil {
			defer j.Close()
			if j.isOf(target) {
				return marked, true, nil
			}
		}
	}
	return name, false, nil
}

// isOf reports whether the journal is about that file, whatever is in it.
func (j *Journal) isOf(target *shm.Mapping) bool {
	number, born, err := inode(target.File())
	t := j.Header.Target
	return err == nil && t.Inode == number && t.Born == born
}

// Create makes a journal, with areas for that many workers, where there is none.
// When it returns, the journal is on the disk. Who calls it has the target locked.
func Create(path string, h *Header, areas uint32, mode fs.FileMode) (*Journal, error) {
	h.Count = areas
	head, err := h.encode()
	if err != nil {
		return nil, err
	}
	j := &Journal{Header: h, path: path}
	if j.array, err = h.array(); err != nil {
		return nil, err
	}
	j.pieced = newPieced(h.Array.Pieces, j.array.Type)
	if j.geometry, err = h.geometry(); err != nil {
		return nil, err
	}
	j.layout = j.geometry.layout(uint64(len(head)), areas)
	if err := j.create(head, mode); err != nil {
		return nil, cannot(path, err)
	}
	return j, nil
}

func (j *Journal) create(head []byte, mode fs.FileMode) error {
	dir, err := os.Open(filepath.Dir(j.path))
	if err != nil {
		return err
	}
	defer dir.Close()
	// A journal has its name only once it is complete: one that was cut short
	// before has changed nothing.
	unnamed := j.path + ".new"
	if err := os.Remove(unnamed); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(unnamed, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode&0o666|0o600)
	if err != nil {
		return err
	}
	defer os.Remove(unnamed)
	err = shm.CheckLocal(f)
	if err == nil {
		err = reserve(f, int64(j.layout.size()))
	}
	if err == nil {
		_, err = f.WriteAt(head, 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		f.Close()
		return err
	}
	if j.mapping, err = shm.AttachWritable(f); err != nil {
		return err
	}
	err = publish(unnamed, j.path)
	if err == nil {
		if err = dir.Sync(); err != nil {
			os.Remove(j.path)
		}
	}
	if err != nil {
		j.mapping.Close()
	}
	return err
}

// cannot says what can be done about a journal that cannot be made.
func cannot(path string, err error) error {
	remedy := "put it into another directory"
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		remedy = "raise the limit on open files (ulimit -n)"
	case errors.Is(err, syscall.ENOSPC):
		remedy = "free some room, or put it into another directory"
	}
	return fmt.Errorf("the journal %s cannot be made: %w: %s", path, err, remedy)
}

// InMemory returns a journal in a mapping of zeros, of MemorySize bytes, for memory
// that dies with this process.
func InMemory(m *shm.Mapping, g Geometry, areas uint32, offset int64) (*Journal, error) {
	a := format.Array{Type: kernels.Uint8, Shape: []int64{int64(g.Bytes)}, Offset: offset}
	return &Journal{mapping: m, layout: g.layout(0, areas), geometry: g, array: a}, g.Check()
}

// MemorySize returns the bytes of a journal in memory.
func MemorySize(g Geometry, areas uint32) int { return int(g.layout(0, areas).size()) }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Open opens a journal that a run of a target has left behind.
func Open(path string, target *shm.Mapping) (*Journal, error) {
	j, err := open(path, target)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return j, err
	}
	return nil, &Error{path, err.Error(), abandonIt}
}

func open(path string, target *shm.Mapping) (j *Journal, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := shm.CheckLocal(f); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := ownerCheck(info, target); err != nil {
		return nil, err
	}
	j = &Journal{path: path}
	head := make([]byte, headerAt)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, errNone
	}
	n, err := headerSize(head)
	if err != nil {
		return nil, err
	}
	head = make([]byte, n)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("its header is cut short: %w", err)
	}
	if j.Header, err = parseHeader(head); err != nil {
		return nil, err
	}
	if j.geometry, err = j.Header.geometry(); err != nil {
		return nil, err
	}
	if j.array, err = j.Header.array(); err != nil {
		return nil, err
	}
	j.pieced = newPieced(j.Header.Array.Pieces, j.array.Type)
	j.layout = j.geometry.layout(n, 0)
	if uint64(info.Size()) < j.layout.size() {
		return nil, fmt.Errorf("it has %d bytes, and its marks alone need %d", info.Size(), j.layout.size())
	}
	j.layout.Count = uint32(min(maxAreas, (uint64(info.Size())-j.layout.Areas)/j.layout.stride()))
	if j.layout.Count < j.Header.Count {
		return nil, fmt.Errorf("it has %d areas, and was made with %d", j.layout.Count, j.Header.Count)
	}
	j.mapping, err = shm.AttachWritable(f)
	return j, err
}

// Path returns the journal's path, "" of one in memory.
func (j *Journal) Path() string { return j.path }

// Backup returns the path of the backup that the run made, "" for none.
func (j *Journal) Backup() string {
	if j.Header == nil || j.Header.Backup == nil {
		return ""
	}
	return BackupName(j.path)
}

// Mapping returns the journal's mapping, for workers.
func (j *Journal) Mapping() *shm.Mapping { return j.mapping }

// Layout returns the journal's layout.
func (j *Journal) Layout() Layout { return j.layout }

// Array returns the array that is changed.
func (j *Journal) Array() (format.Array, error) { return j.Header.array() }

// Begin notes in the target where its journal is, and End that there is none any
// more.
func (j *Journal) Begin(target *shm.Mapping) { setMark(target.File(), j.path) }

// End see [Journal.Begin].
func End(target *shm.Mapping) { clearMark(target.File()) }

// Belongs returns an *Error unless the journal is about that file, as it was left
// by processes and not by a machine that went down.
func (j *Journal) Belongs(target Target) error {
	if err := j.untouched(); err != nil {
		return err
	}
	if what := target.Differs(j.Header.Target); what != "" {
		return &Error{j.path, "the file " + what, "put that file back, or abandon the journal"}
	}
	boot, err := Boot()
	if err != nil {
		return fmt.Errorf("which boot this is cannot be told: %w", err)
	}
	if boot != j.Header.Boot {
		remedy := "put a copy of the data back, then abandon the journal"
		if j.Header.Backup != nil {
			remedy = "restore the backup"
		}
		return &Error{j.path, "the machine was started anew since the run began, and nobody can tell which bytes had reached the disk", remedy}
	}
	return nil
}

// Grow makes sure that there are areas for that many workers.
func (j *Journal) Grow(areas uint32) error {
	if areas <= j.layout.Count {
		return nil
	}
	grown := j.layout
	grown.Count = areas
	if err := reserve(j.mapping.File(), int64(grown.size())); err != nil {
		return cannot(j.path, err)
	}
	fd, err := unix.FcntlInt(j.mapping.File().Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return err
	}
	m, err := shm.AttachWritable(os.NewFile(uintptr(fd), j.path))
	if err != nil {
		return err
	}
	old := j.mapping
	j.mapping, j.layout = m, grown
	return old.Close()
}

// readWord reads a word of the journal.
func (j *Journal) readWord(at uint64) (uint64, error) {
	var b [8]byte
	_, err := j.mapping.ReadAt(b[:], int64(at))
	return binary.LittleEndian.Uint64(b[:]), err
}

// Repair makes whole what the owner of an area, which is reaped, may have left half
// done in the target. It can be done again at any time.
func (j *Journal) Repair(area uint32, target *shm.Mapping) error {
	err := j.repair(area, target)
	if _, damaged := err.(*Error); err != nil && !damaged {
		return fmt.Errorf("repairing %s by its journal: %w", target.Path(), err)
	}
	return err
}

// damaged returns the error of a journal that holds what cannot be.
func (j *Journal) damaged(format string, args ...any) error {
	return &Error{j.path, fmt.Sprintf(format, args...), abandonIt}
}

const abandonIt = "it cannot be resumed: put a copy of the data back, or abandon it"

func (j *Journal) repair(area uint32, target *shm.Mapping) error {
	if area >= j.layout.Count {
		return nil // nobody writes without an area
	}
	word, err := j.readWord(j.layout.armed(area))
	if err != nil {
		return err
	}
	chunk, unit, ok := armedFor(word)
	if !ok {
		return nil
	}
	if chunk >= j.geometry.Chunks() {
		return j.damaged("area %d is armed for chunk %d of %d", area, chunk, j.geometry.Chunks())
	}
	mark, err := j.readWord(j.layout.mark(chunk))
	if err != nil || mark != unit {
		return err
	}
	begin, size := j.geometry.chunk(chunk)
	if unit >= j.layout.units(size) {
		return j.damaged("area %d is armed for unit %d of %d", area, unit, j.layout.units(size))
	}
	first, length := j.layout.unit(size, unit)
	b := make([]byte, length)
	if _, err := j.mapping.ReadAt(b, int64(j.layout.scratch(area))); err != nil {
		return err
	}
	if err := j.store(target, b, begin+first); err != nil {
		return err
	}
	_, err = j.mapping.WriteAt(binary.LittleEndian.AppendUint64(nil, unit+1), int64(j.layout.mark(chunk)))
	return err
}

// RepairAll repairs all areas.
func (j *Journal) RepairAll(target *shm.Mapping) error {
	for area := range j.layout.Count {
		if err := j.Repair(area, target); err != nil {
			return err
		}
	}
	return nil
}

// Finished reports whether all of a chunk is stored.
func (j *Journal) Finished(chunk uint64) (bool, error) {
	_, size := j.geometry.chunk(chunk)
	mark, err := j.readWord(j.layout.mark(chunk))
	return mark == j.layout.units(size), err
}

// Range is bytes of a file, the last one included; of elements that lie apart, with
// what lies between them.
type Range struct{ First, Last uint64 }

// All returns where the elements of the array lie.
func (j *Journal) All() (all []Range) {
	j.span(0, j.geometry.Bytes, func(first, length uint64) { all = extend(all, first, length) })
	return all
}

// extend adds bytes to ranges.
func extend(ranges []Range, first, length uint64) []Range {
	if last := len(ranges) - 1; last >= 0 && ranges[last].Last+1 == first {
		ranges[last].Last += length
		return ranges
	}
	return append(ranges, Range{first, first + length - 1})
}

// Ranges returns what of the array is changed and what is not. A unit that a
// worker has in hand is not.
func (j *Journal) Ranges() (applied, rest []Range, err error) {
	const some = 1 << 13
	marks := make([]byte, 8*some)
	for chunk := range j.geometry.Chunks() {
		if chunk%some == 0 {
			b := marks[:8*min(some, j.geometry.Chunks()-chunk)]
			if _, err := j.mapping.ReadAt(b, int64(j.layout.mark(chunk))); err != nil {
				return nil, nil, err
			}
		}
		begin, size := j.geometry.chunk(chunk)
		mark := binary.LittleEndian.Uint64(marks[8*(chunk%some):])
		if mark > math.MaxUint64/j.layout.Unit {
			return nil, nil, fmt.Errorf("chunk %d has mark %d", chunk, mark)
		}
		done := min(size, mark*j.layout.Unit)
		j.span(begin, done, func(first, length uint64) { applied = extend(applied, first, length) })
		j.span(begin+done, size-done, func(first, length uint64) { rest = extend(rest, first, length) })
	}
	return applied, rest, nil
}

// Close closes the journal, which stays.
func (j *Journal) Close() error { return j.mapping.Close() }

// Remove deletes the journal of a run that is complete, or given up.
func (j *Journal) Remove() error {
	if j.path == "" {
		return nil
	}
	mine, err := j.mapping.File().Stat()
	if err != nil {
		return err
	}
	if there, err := os.Lstat(j.path); err != nil || !os.SameFile(mine, there) {
		return fmt.Errorf("the journal %s was moved or removed: delete it, it is of no more use", j.path)
	}
	return os.Remove(j.path)
}
