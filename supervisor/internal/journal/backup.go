package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gangsaw/gangsaw/shm"
)

// Backup tells which file is the copy that a run made of its target beforehand. It
// lies under [BackupName].
type Backup struct {
	Size  int64
	Inode uint64
	Born  int64 // ns since 1970, 0 where the file system does not tell
}

// BackupError reports a backup that cannot be made, or put back.
type BackupError struct {
	File, Backup string // paths
	Err          error
	Remedy       string
}

func (e *BackupError) Error() string {
	return fmt.Sprintf("%s: backup %s: %v: %s", e.File, e.Backup, e.Err, e.Remedy)
}

// Unwrap returns what went wrong.
func (e *BackupError) Unwrap() error { return e.Err }

// BackupName returns where the backup lies that belongs to a journal.
func BackupName(journal string) string { return journal + "-backup" }

// The phases of a run with a backup, in one word of the journal. While a backup is
// put back the marks mean nothing any more.
const (
	phaseAt = 56

	changing  = 0 // by the marks
	restoring = 1 // the target may hold anything, the backup is whole
	restored  = 2 // the target is what it was, the backup may be gone
)

// step is a part of what makes or puts back a backup. A process may die in each and
// between them; all state is in files.
type step struct {
	name string
	do   func() error
}

func inOrder(steps []step) error {
	for _, s := range steps {
		if err := s.do(); err != nil {
			return err
		}
	}
	return nil
}

// MakeBackup copies a target, which is locked, to where the backup belongs that goes
// with a journal. When it returns, the copy is on the disk.
func MakeBackup(ctx context.Context, journal string, target *shm.Mapping) (*Backup, error) {
	m := &making{path: BackupName(journal), target: target}
	err := inOrder(m.steps(ctx))
	m.end()
	if err == nil {
		return &m.backup, nil
	}
	if m.backup.Inode != 0 {
		RemoveBackup(journal, &m.backup)
	}
	return nil, &BackupError{target.Path(), m.path, err, m.remedy(err)}
}

// making is a backup in the making.
type making struct {
	path   string
	target *shm.Mapping
	file   *os.File
	backup Backup
}

func (m *making) unnamed() string { return m.path + ".new" }

// steps makes the copy under another name: one that was cut short is none.
func (m *making) steps(ctx context.Context) []step {
	return []step{
		{"clean", m.clean},
		{"create", m.create},
		{"copy", func() error { return duplicate(ctx, m.file, m.target.File(), m.backup.Size, true) }},
		{"identify", m.identify},
		{"sync", func() error { return m.file.Sync() }},
		{"name", func() error { return publish(m.unnamed(), m.path) }},
		{"sync directory", func() error { return syncDirectory(m.path) }},
	}
}

func (m *making) clean() error {
	if exists(m.path) {
		return fs.ErrExist
	}
	if err := os.Remove(m.unnamed()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (m *making) create() (err error) {
	info, err := m.target.File().Stat()
	if err != nil {
		return err
	}
	m.backup.Size = info.Size()
	if m.file, err = os.OpenFile(m.unnamed(), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return err
	}
	// Nobody may read the copy who may not read the file.
	if st, ok := info.Sys().(*syscall.Stat_t); ok && m.file.Chown(int(st.Uid), int(st.Gid)) == nil {
		return m.file.Chmod(info.Mode().Perm() | 0o400)
	}
	return nil
}

func (m *making) identify() (err error) {
	m.backup.Inode, m.backup.Born, err = inode(m.file)
	return err
}

func (m *making) end() {
	if m.file != nil {
		m.file.Close()
		os.Remove(m.unnamed())
	}
}

func (m *making) remedy(err error) string {
	switch {
	case errors.Is(err, fs.ErrExist):
		return "an earlier run left it: delete it, or move it away"
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return "free some room, put journal and backup into another directory, or do without a backup"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "nothing was changed"
	}
	return "put journal and backup into another directory, or do without a backup"
}

func syncDirectory(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// RemoveBackup deletes the backup that goes with a journal, if it is that one.
func RemoveBackup(journal string, b *Backup) error {
	f, err := b.open(BackupName(journal))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(os.Remove(f.Name()), f.Close())
}

// open opens the backup, if it is that one.
func (b *Backup) open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		var found Backup
		found.Size = info.Size()
		found.Inode, found.Born, err = inode(f)
		if err == nil && found != *b {
			err = errors.New("it is not the file that the run made")
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Restore puts the backup back that the journal's run made of the target, and
// deletes it, and the journal. What cuts it short is mended by doing it again.
func (j *Journal) Restore(ctx context.Context, target *shm.Mapping) error {
	phase, err := j.readWord(phaseAt)
	if err != nil {
		return err
	}
	steps, err := j.restoration(ctx, phase, target)
	if err != nil {
		return err
	}
	err = inOrder(steps)
	var useless *Error
	if err == nil || errors.As(err, &useless) {
		return err
	}
	remedy := "restore again"
	if errors.Is(err, fs.ErrNotExist) {
		remedy = "without it only another copy of the data helps: put that back, then abandon the journal"
	}
	return &BackupError{target.Path(), BackupName(j.path), err, remedy}
}

// restoration returns what is to be done in that phase.
func (j *Journal) restoration(ctx context.Context, phase uint64, target *shm.Mapping) ([]step, error) {
	b := j.Header.Backup
	if !j.isOf(target) {
		return nil, &Error{j.path, "the file is another one than the run changed", "put that file back, or abandon the journal"}
	}
	if b == nil {
		return nil, &Error{j.path, "the run made no backup", "resume it, or put another copy of the data back and abandon it"}
	}
	var from *os.File
	put := []step{
		{"open", func() (err error) {
			from, err = b.open(BackupName(j.path))
			return err
		}},
		{"begin", func() error { return j.enter(restoring) }},
		{"copy", func() error { return duplicate(ctx, target.File(), from, b.Size, false) }},
		{"sync", func() error { return errors.Join(target.File().Sync(), from.Close()) }},
		{"done", func() error { return j.enter(restored) }},
	}
	clean := []step{
		{"remove backup", func() error { return RemoveBackup(j.path, b) }},
		{"remove journal", j.Remove},
		{"unmark", func() error { End(target); return nil }},
	}
	switch phase {
	case changing, restoring:
		return append(put, clean...), nil
	case restored:
		return clean, nil
	}
	return nil, j.damaged("it is in phase %d", phase)
}

// enter notes, on the disk, in which phase the run is.
func (j *Journal) enter(phase uint64) error {
	if _, err := j.mapping.WriteAt(binary.LittleEndian.AppendUint64(nil, phase), phaseAt); err != nil {
		return err
	}
	return j.mapping.File().Sync()
}

// untouched returns an *Error if the backup is being put back.
func (j *Journal) untouched() error {
	phase, err := j.readWord(phaseAt)
	if err != nil || phase == changing {
		return err
	}
	return &Error{j.path, "the backup is being put back", "go on with that: restore again"}
}
