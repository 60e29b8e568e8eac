//go:build !amd64

package ceiling

func vectors() []Loop { return nil }
