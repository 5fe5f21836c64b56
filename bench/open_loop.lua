-- wrk's script for requests at a rate: each connection pauses for a random time (exponential, as
-- of many people who know nothing of each other) before its next request, and every answer is
-- written down. Arguments: the mean pause in ms (0: none), the file of the record, the body.
local ffi = require("ffi")
ffi.cdef [[
struct cairn_time { long seconds; long nanoseconds; };
int clock_gettime(int clock, struct cairn_time *out);
]]
local now_is = ffi.new("struct cairn_time")
local CLOCK_MONOTONIC = 1 -- also Python's time.monotonic()

local function now_us()
    ffi.C.clock_gettime(CLOCK_MONOTONIC, now_is)
    return tonumber(now_is.seconds) * 1e6 + tonumber(now_is.nanoseconds) / 1e3
end

local began, number, record, mean_ms, path, body = {}, 0, nil, 0, nil, nil

function init(args)
    mean_ms, path = tonumber(args[1]), args[2]
    body = io.open(args[3]):read("*a")
    record = io.open(path, "w")
    record:setvbuf("full", 1048576)
    math.randomseed(7)
    if mean_ms == 0 then
        delay = nil
    end
end

function delay()
    return math.floor(-math.log(1 - math.random()) * mean_ms + 0.5)
end

function request()
    number = number + 1
    local id = string.format("r%d", number)
    began[id] = now_us()
    return wrk.format("POST", nil, {["Content-Type"] = "application/json",
                                    ["X-Request-ID"] = id}, body)
end

function response(status, headers)
    local id = headers["X-Request-ID"] or headers["x-request-id"]
    local start = id and began[id]
    if start then
        began[id] = nil
        record:write(string.format("%.0f\t%d\t%.0f\n", start, status, now_us() - start))
    end
end
