package statemachine

// BuildArguments returns the arguments of go build, before the package, with which the
// functions are built: small, and the same on every machine, without paths, version
// control and build IDs.
func BuildArguments() []string {
	return []string{
		"-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=",
		// Without the runtime's old interface over RPC, and Go's HTTP/2.
		"-tags", "lambda.norpc,nethttpomithttp2",
		// Inlining only in package runtime: elsewhere it adds more than a tenth to the
		// archives, and saves about a tenth of a warm check's time.
		"-gcflags=all=-l", "-gcflags=runtime=",
	}
}

// MemoryMB is the memory of each function, in MB.
const MemoryMB = 128

// RuntimeSettings returns the environment variables of Go's runtime with which the
// functions run. With this little memory, Lambda gives a function a fourteenth of a
// processor: a second thread only waits for the first. The heap may grow to half more
// than by default before the first collection, so that none happens before the first
// answer. It may not grow much further: in a virtual machine, using a page of memory
// for the first time takes longer than collecting a page of garbage. Near 96 MiB, well
// within what the function has, garbage is collected more often.
func RuntimeSettings() map[string]string {
	return map[string]string{"GOMAXPROCS": "1", "GOGC": "150", "GOMEMLIMIT": "96MiB"}
}
