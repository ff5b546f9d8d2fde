module hchan-benches-go

go 1.21
