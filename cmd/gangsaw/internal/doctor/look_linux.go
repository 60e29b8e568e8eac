package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/edsrzf/mmap-go"
	"golang.org/x/sys/unix"

	"github.com/gangsaw/gangsaw/kernels"
)

// Look looks at the machine, and at the file systems of paths.
func Look(paths []string) []Finding {
	s := system("/")
	all := []Finding{instructions(), s.caches(), s.cpus(online(s), runtime.GOMAXPROCS(0)), s.memory(), s.memoryLimit()}
	all = append(all, s.hugePages()...)
	all = append(all, s.overcommit())
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		all = append(all, kernel(unix.ByteSliceToString(name.Release[:])))
	}
	all = append(all, calls()...)
	all = append(all, limits()...)
	all = append(all, s.ptrace())
	for _, dir := range []string{"/dev/shm", os.TempDir()} {
		all = append(all, tmpfs(dir)...)
	}
	for _, path := range paths {
		all = append(all, fileSystem(path)...)
	}
	return all
}

// online returns how many CPUs the machine has.
func online(s system) int {
	n := 0
	all, _ := s.text("proc/stat")
	for line := range strings.Lines(all) {
		if strings.HasPrefix(line, "cpu") && !strings.HasPrefix(line, "cpu ") {
			n++
		}
	}
	return max(n, runtime.NumCPU())
}

func instructions() Finding {
	best, now := kernels.BestTier(), kernels.CurrentTier()
	f := Finding{Name: "instruction set", Value: best.String(), Level: OK}
	switch {
	case now < best:
		f.Value, f.Level = fmt.Sprintf("%v, of %v", now, best), Note
		f.Advice = kernels.TierVariable + " caps it: unset it for more speed; results have the same bits"
	case best == kernels.Scalar && runtime.GOARCH == "amd64":
		f.Level, f.Advice = Note, "no AVX2: kernels run several times slower; a virtual machine may hide it, see its CPU model"
	}
	return f
}

// calls tries the system calls that a pool needs and that a sandbox may forbid.
func calls() (all []Finding) {
	for _, c := range []struct {
		name, without string
		call          func() error
	}{
		{"memfd_create", "no pool of processes: use --in-process, or", func() error {
			fd, err := unix.MemfdCreate("gangsaw-doctor", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
			return closing(fd, err)
		}},
		{"pidfd_open", "no pool of processes: use --in-process, or", func() error {
			fd, err := unix.PidfdOpen(os.Getpid(), 0)
			return closing(fd, err)
		}},
		{"pidfd_send_signal", "no worker can be killed safely: use --in-process, or", func() error {
			fd, err := unix.PidfdOpen(os.Getpid(), 0)
			if err != nil {
				return err
			}
			return errors.Join(unix.PidfdSendSignal(fd, 0, nil, 0), unix.Close(fd))
		}},
		{"madvise populate", "pages are faulted in one by one, which is slower:", func() error {
			page, err := mmap.MapRegion(nil, os.Getpagesize(), mmap.RDWR, mmap.ANON, 0)
			if err != nil {
				return err
			}
			return errors.Join(unix.Madvise(page, unix.MADV_POPULATE_WRITE), page.Unmap())
		}},
	} {
		f := Finding{Name: c.name, Value: "allowed", Level: OK}
		if err := c.call(); err != nil {
			f.Value, f.Level = err.Error(), Problem
			f.Advice = c.without + " allow it in the container's seccomp profile, or take a newer kernel"
		}
		all = append(all, f)
	}
	return all
}

func closing(fd int, err error) error {
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// leastFiles is what a pool of many workers needs.
const leastFiles = 1024

func limits() (all []Finding) {
	for _, c := range []struct {
		name, flag string
		which      int
		least      uint64
	}{
		{"open files", "-n", unix.RLIMIT_NOFILE, leastFiles},
		{"processes", "-u", unix.RLIMIT_NPROC, 256},
		{"address space", "-v", unix.RLIMIT_AS, 1 << 40},
		{"file size", "-f", unix.RLIMIT_FSIZE, 1 << 40},
	} {
		var r unix.Rlimit
		if err := unix.Getrlimit(c.which, &r); err != nil {
			all = append(all, Finding{"limit of " + c.name, "unknown", Unknown, err.Error()})
			continue
		}
		f := Finding{Name: "limit of " + c.name, Value: "none", Level: OK}
		if r.Cur != unix.RLIM_INFINITY {
			f.Value = fmt.Sprint(r.Cur)
			if r.Cur < c.least {
				f.Level, f.Advice = Note, "raise it by ulimit "+c.flag+" if starting workers, mapping or writing files fails"
			}
		}
		all = append(all, f)
	}
	return all
}

// tmpfs tells of a directory whose files are memory.
func tmpfs(dir string) []Finding {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil || fs.Type != unix.TMPFS_MAGIC {
		return nil
	}
	return []Finding{{
		"tmpfs " + dir,
		fmt.Sprintf("%s, %s free", humanize.IBytes(fs.Blocks*uint64(fs.Bsize)), humanize.IBytes(fs.Bavail*uint64(fs.Bsize))), OK,
		"files there are memory; gangsaw's own segments do not count towards its size",
	}}
}

// kinds are the names of file systems, and whether files are elsewhere.
var kinds = map[int64]struct {
	name   string
	remote bool
}{
	unix.EXT4_SUPER_MAGIC:      {"ext4", false},
	unix.XFS_SUPER_MAGIC:       {"xfs", false},
	unix.BTRFS_SUPER_MAGIC:     {"btrfs", false},
	unix.TMPFS_MAGIC:           {"tmpfs", false},
	unix.OVERLAYFS_SUPER_MAGIC: {"overlayfs", false},
	unix.F2FS_SUPER_MAGIC:      {"f2fs", false},
	0x2fc12fc1:                 {"zfs", false},
	unix.NFS_SUPER_MAGIC:       {"nfs", true},
	unix.SMB_SUPER_MAGIC:       {"smb", true},
	unix.SMB2_SUPER_MAGIC:      {"smb2", true},
	unix.CIFS_SUPER_MAGIC:      {"cifs", true},
	unix.V9FS_MAGIC:            {"9p", true},
	unix.CEPH_SUPER_MAGIC:      {"ceph", true},
	unix.AFS_SUPER_MAGIC:       {"afs", true},
	unix.FUSE_SUPER_MAGIC:      {"fuse", true},
}

// fileSystem tells of the file system of a path, by trying things on a file
// without a name, which is never seen and goes by itself.
func fileSystem(path string) (all []Finding) {
	add := func(what, value string, level Level, advice string) {
		all = append(all, Finding{path + ": " + what, value, level, advice})
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		add("file system", err.Error(), Unknown, "check the path")
		return all
	}
	kind, known := kinds[int64(fs.Type)]
	switch {
	case !known:
		add("file system", fmt.Sprintf("type %#x", fs.Type), Unknown, "")
	case kind.remote:
		add("file system", kind.name, Note, "a file that others change or that is lost in mid-run is an error at best: copy it to a local disk, in any case before changing it in place")
	default:
		add("file system", kind.name, OK, "")
	}
	add("free", humanize.IBytes(fs.Bavail*uint64(fs.Bsize)), OK, "")
	dir := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		dir = filepath.Dir(path)
	}
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		add("writing", err.Error(), Note, "whether it clones and locks files is tried only where files can be written")
		return all
	}
	defer unix.Close(fd)
	try := func(what, without string, call func() error) {
		if err := call(); err != nil {
			add(what, "no: "+err.Error(), Note, without)
			return
		}
		add(what, "yes", OK, "")
	}
	try("reflink", "copies of files take their full room and time", func() error {
		other, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return err
		}
		defer unix.Close(other)
		return unix.IoctlFileClone(other, fd)
	})
	try("direct", "files can be read only through the page cache, as gangsaw does", func() error {
		other, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC|unix.O_DIRECT, 0o600)
		return closing(other, err)
	})
	try("flock", "two runs that change one file in place cannot keep out of each other's way: copy it elsewhere first", func() error {
		return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	})
	return all
}
