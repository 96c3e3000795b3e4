// A negative control: a server that goes on with the time of its start, as one that kept it would.
const startedAt = Date.now();
Date.now = () => startedAt;
