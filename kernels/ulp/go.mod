module github.com/gangsaw/gangsaw/kernels/ulp

go 1.26.0

require github.com/gangsaw/gangsaw v0.0.0

require golang.org/x/sys v0.49.0 // indirect

replace github.com/gangsaw/gangsaw => ../..
