package measure

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// remembered is what is kept of a report: what can be read of a file in page cache,
// by so many workers, and by which machine.
type remembered struct {
	Schema int       `json:"schema"`
	Host   string    `json:"host"`
	CPUs   int       `json:"cpus"`
	Read   []Ceiling `json:"read"`
}

const rememberedSchema = 1

// tooFast is above what any machine of today reads in a second, in bytes.
const tooFast = 1e14

// rememberedPath is a file in the user's cache directory.
func rememberedPath() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "gangsaw", "ceiling.json"), err
}

// Remember keeps the ceilings for reading, so that later runs can tell what share
// of them they reach.
func (r *Report) Remember() error {
	path, err := rememberedPath()
	if err != nil {
		return fmt.Errorf("the ceilings are not remembered: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("the ceilings are not remembered: %w", err)
	}
	kept := remembered{Schema: rememberedSchema, Host: host, CPUs: runtime.NumCPU()}
	for _, c := range r.Ceilings {
		if c.What == "read" && c.From == "file" && c.Mapping == "warm" {
			kept.Read = append(kept.Read, c)
		}
	}
	text, err := json.Marshal(kept)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = replaceFile(path, text)
	}
	if err != nil {
		return fmt.Errorf("the ceilings are not remembered: %w", err)
	}
	return nil
}

// replaceFile writes a file that others may be reading.
func replaceFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".ceiling-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// Recall returns the bytes per second that so many workers can read on this
// machine: those of the nearest number that was measured, not above it; or 0 if
// that is not known.
func Recall(workers int) float64 {
	path, err := rememberedPath()
	if err != nil {
		return 0
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	host, _ := os.Hostname()
	var kept remembered
	if json.Unmarshal(text, &kept) != nil || kept.Schema != rememberedSchema || kept.Host != host || kept.CPUs != runtime.NumCPU() {
		return 0
	}
	nearest := Ceiling{}
	for _, c := range kept.Read {
		if c.Workers > nearest.Workers && c.Workers <= workers && c.Rate > 0 && c.Rate < tooFast {
			nearest = c
		}
	}
	return nearest.Rate
}
