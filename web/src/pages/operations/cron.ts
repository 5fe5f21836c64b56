// A schedule in words, where it is of the usual kind; others are shown as they are.

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const digits = (text: string) => /^\d{1,2}$/.test(text);

/** "0 2 * * *": "every day at 02:00". */
export function inWords(cron: string): string {
    const [minute = "", hour = "", date = "", month = "", weekday = "", ...more] = cron.trim().split(/\s+/);
    if (!digits(minute) || month !== "*" || more.length > 0) return cron;
    if (hour === "*" && date === "*" && weekday === "*") return `every hour at minute ${Number(minute)}`;
    if (!digits(hour)) return cron;
    const at = `at ${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
    if (date === "*" && weekday === "*") return `every day ${at}`;
    if (date === "*" && /^[0-7]$/.test(weekday)) return `every ${days[Number(weekday)]} ${at}`;
    return digits(date) && weekday === "*" ? `on day ${Number(date)} of every month ${at}` : cron;
}
