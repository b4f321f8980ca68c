package statemachine

// BuildArguments returns the arguments of go build, before the package, with which the
// functions are built: small, and the same on every machine, without paths, version
// control and build IDs.
func BuildArguments() []string {
	return []string{
		"-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=",
		// Without the runtime's old interface over RPC, and Go's HTTP/2.
		"-tags", "lambda.norpc,nethttpomithttp2",
	}
}

// MemoryMB is the memory of each function, in MB.
const MemoryMB = 128

// RuntimeSettings returns the environment variables of Go's runtime with which the
// functions run. With this little memory, Lambda gives a function a fourteenth of a
// processor: a second thread only waits for the first. The heap may grow to half more
// than by default before garbage is collected, so that this does not happen before the
// first answer, but not much further: in a virtual machine, the first use of a page of
// memory takes longer than garbage does that fits into it. Far below what the function
// has, all memory is collected more often.
func RuntimeSettings() map[string]string {
	return map[string]string{"GOMAXPROCS": "1", "GOGC": "150", "GOMEMLIMIT": "96MiB"}
}
