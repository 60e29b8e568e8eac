package main

import (
	_ "github.com/gangsaw/gangsaw/shm/format/arrow" // known to format.DetectTable
	_ "github.com/gangsaw/gangsaw/shm/format/parquet"
)
