#include "services/gateway/history/ring.h"

#include <string.h>

#include "shared/mem.h"

struct slot {
    double ended_s;
    double seconds;
};

struct ring {
    struct ring_shape shape;
    struct slot *slots;
    uint32_t *values; /* of all slots, a row each */
    uint64_t *before; /* as the counters stood when the step under way began */
    double began_s;
    bool begun;
    uint32_t next;
    uint32_t count;
};

static size_t width(const struct ring_shape *shape)
{
    return (size_t)shape->gauges + shape->counters;
}

enum sh_err ring_create(const struct ring_shape *shape, struct ring **out)
{
    if (shape->steps == 0 || width(shape) == 0)
        return SH_INVALID;
    struct ring *self = sh_alloc(sizeof *self);
    if (self == NULL)
        return SH_NOMEM;
    self->shape = *shape;
    self->slots = sh_alloc_array(shape->steps, sizeof *self->slots);
    self->values = sh_alloc_array(shape->steps * width(shape), sizeof *self->values);
    self->before = sh_alloc_array(width(shape), sizeof *self->before);
    if (self->slots == NULL || self->values == NULL || self->before == NULL) {
        ring_free(&self);
        return SH_NOMEM;
    }
    *out = self;
    return SH_OK;
}

void ring_free(struct ring **self)
{
    if (*self == NULL)
        return;
    sh_free((*self)->slots);
    sh_free((*self)->values);
    sh_free((*self)->before);
    sh_free(*self);
    *self = NULL;
}

static uint32_t *row(const struct ring *self, size_t slot)
{
    return &self->values[slot * width(&self->shape)];
}

static uint32_t fit(uint64_t value)
{
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* The largest of 32 bits is for what is not known. */
static uint32_t fit_gauge(uint64_t value)
{
    if (value == RING_UNKNOWN)
        return UINT32_MAX;
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX - 1;
}

static uint64_t growth(uint64_t before, uint64_t now)
{
    return now > before ? now - before : 0;
}

static void write_row(const struct ring *self, const uint64_t *values, uint32_t *out)
{
    size_t gauges = self->shape.gauges, all = width(&self->shape);

    for (size_t i = 0; i < gauges; i++)
        out[i] = fit_gauge(values[i]);
    for (size_t i = gauges; i < all; i++)
        out[i] = fit(growth(self->before[i], values[i]));
}

void ring_end_step(struct ring *self, double now_s, const uint64_t *values)
{
    if (self->begun && now_s <= self->began_s)
        return;
    if (self->begun) {
        self->slots[self->next] = (struct slot){now_s, now_s - self->began_s};
        write_row(self, values, row(self, self->next));
        self->next = (self->next + 1) % self->shape.steps;
        if (self->count < self->shape.steps)
            self->count++;
    }
    memcpy(self->before, values, width(&self->shape) * sizeof *values);
    self->began_s = now_s;
    self->begun = true;
}

size_t ring_count(const struct ring *self)
{
    return self->count;
}

static size_t slot_of(const struct ring *self, size_t i)
{
    size_t steps = self->shape.steps;
    return (self->next + steps - self->count + i) % steps;
}

struct ring_step ring_at(const struct ring *self, size_t i)
{
    size_t slot = slot_of(self, i);

    return (struct ring_step){self->slots[slot].ended_s, self->slots[slot].seconds,
                              row(self, slot)};
}

uint64_t ring_gauge(const struct ring_step *step, size_t i)
{
    return step->values[i] == UINT32_MAX ? RING_UNKNOWN : step->values[i];
}

double ring_running(const struct ring *self, double now_s, const uint64_t *values,
                    uint32_t *out)
{
    if (!self->begun || now_s <= self->began_s)
        return 0;
    write_row(self, values, out);
    return now_s - self->began_s;
}

double ring_sum(const struct ring *self, double since_s, double now_s,
                const uint64_t *values, uint64_t *sums)
{
    size_t gauges = self->shape.gauges, counters = self->shape.counters;
    double seconds = 0;

    for (size_t c = 0; c < counters; c++)
        sums[c] = self->begun ? growth(self->before[gauges + c], values[gauges + c]) : 0;
    if (self->begun && now_s > self->began_s)
        seconds = now_s - self->began_s;
    for (size_t i = self->count; i > 0; i--) {
        struct ring_step step = ring_at(self, i - 1);
        if (step.ended_s <= since_s)
            break;
        seconds += step.seconds;
        for (size_t c = 0; c < counters; c++)
            sums[c] += step.values[gauges + c];
    }
    return seconds;
}
