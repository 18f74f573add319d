<?php
// Reads comments as JSON lines from stdin, stores them by WordPress's own functions, prints their ids as JSON.
define('WP_INSTALLING', true);
require __DIR__ . '/site/wp-load.php';
global $wpdb;
wp_defer_comment_counting(true);
$wpdb->query('START TRANSACTION');
$ids = [];
while (($line = fgets(STDIN)) !== false) {
    $row = json_decode($line, true);
    $ids[] = wp_insert_comment(wp_slash([
        'comment_post_ID' => $row['post'], 'comment_parent' => $row['parent'] < 0 ? $ids[count($ids) + $row['parent']] : $row['parent'],
        'comment_author' => esc_html($row['author']), 'comment_author_email' => $row['email'], 'comment_author_IP' => '127.0.0.1',
        'comment_content' => wp_unslash(wp_filter_kses(wp_slash($row['text']))), 'comment_approved' => 1,
        'comment_date_gmt' => $row['date_gmt'], 'comment_date' => get_date_from_gmt($row['date_gmt']),
    ]));
}
$wpdb->query('COMMIT');
wp_defer_comment_counting(false);
fwrite(STDOUT, json_encode($ids));
