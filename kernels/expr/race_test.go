//go:build race

package expr

// rounds is how many rounds a test has: a tenth under the race detector, which makes
// them slow and has little to find where all happens in one goroutine.
func rounds(n int) int { return n / 10 }
